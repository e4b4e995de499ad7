"""How the worker and the launcher understand each other."""

import signal

CANNOT_START = 126
NOT_STARTED = "The tool cannot be started"
KILL_ALL = signal.SIGUSR1
