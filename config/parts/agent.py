"""The agent of this machine as a child process."""

import contextlib
import os
import signal
import subprocess
import sys
from pathlib import Path

from config.parts.base import Part

# What of our own environment the agent gets: how to run, and what people may do on this machine through it.
PASSED_ON = (
    "PATH", "HOME", "LANG", "TZ", "TMPDIR", "PHAROS_AGENT_COMMANDS", "PHAROS_AGENT_TERMINAL", "PHAROS_AGENT_SHELL",
    "PHAROS_AGENT_LOGS", "PHAROS_AGENT_JOURNAL", "PHAROS_AGENT_LOG_DIRS", "PHAROS_AGENT_INVENTORY",
)  # fmt: skip


class LocalAgent(Part):
    """The agent that reports this very machine, as a child process like on any other machine."""

    name = "agent"

    def __init__(self, *, url: str, key: str, instance_id: str, state_dir: Path) -> None:
        super().__init__()
        self._environment = {
            **{name: value for name, value in os.environ.items() if name in PASSED_ON},
            "PHAROS_URL": url,
            "PHAROS_AGENT_KEY": key,
            "PHAROS_INSTANCE_ID": instance_id,
            "PHAROS_AGENT_STATE_DIR": str(state_dir),
            "PHAROS_AGENT_PARENT_PID": str(os.getpid()),  # it ends with us even if we are killed
            "PHAROS_AGENT_HEARTBEAT": "15",
            "PHAROS_AGENT_METRICS": "5",
        }

    def start(self) -> None:
        # A session of its own: Ctrl-C reaches us alone, and we stop the agent after the server.
        self._process = subprocess.Popen(
            [sys.executable, "-m", "pharos_agent"], env=self._environment, start_new_session=True
        )

    def alive(self) -> bool:
        code = self._process.poll()
        if code is not None:
            self.fault = f"the agent ended with exit code {code}"
        return code is None

    def stop(self) -> None:
        with contextlib.suppress(ProcessLookupError):
            self._process.send_signal(signal.SIGTERM)
        try:
            self._process.wait(2)
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.wait()
