"""The launcher's own life: it starts the tool and stays as the parent of everything that the tool starts.

That holds for what leaves the tool's process group too. At the tool's end, when told to, and when the worker dies,
all of it is killed. The launcher ends as the tool did.
"""

import contextlib
import ctypes
import json
import os
import resource
import signal
import sys
import time
from typing import NoReturn

from become import BLOCKED, become
from codes import CANNOT_START, KILL_ALL, NOT_STARTED

PR_SET_PDEATHSIG, PR_SET_CHILD_SUBREAPER = 1, 36
_PAUSE_S = 0.005


class KillAll(Exception):
    """Whoever started us wants everything gone."""


def main() -> int:
    """Start the tool and wait for its end; the status of its process as `waitpid` gives it."""
    signal.signal(KILL_ALL, _told)
    order = json.loads(sys.stdin.buffer.read())
    # Opened while that is still allowed: the tool may lie in a folder that its user cannot enter.
    program = os.open(order["command"][0], os.O_RDONLY)
    libc = ctypes.CDLL(None, use_errno=True)
    libc.prctl(PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0)
    libc.prctl(PR_SET_PDEATHSIG, KILL_ALL, 0, 0, 0)
    if os.getppid() != order["parent"]:
        raise OSError("its worker is gone")
    signal.pthread_sigmask(signal.SIG_BLOCK, BLOCKED)
    tool = os.fork()
    if tool == 0:
        try:
            become(order, program, libc)
        except (OSError, ValueError) as error:
            _complain(error)
    signal.signal(signal.SIGTERM, signal.SIG_IGN)  # it is for the tool
    try:
        signal.pthread_sigmask(signal.SIG_UNBLOCK, BLOCKED)
        while True:
            ended, status = os.waitpid(-1, 0)
            if ended == tool:
                break
    except KillAll:
        status = signal.SIGKILL
    signal.signal(KILL_ALL, signal.SIG_IGN)
    return _kill_children(tool, status)


def _told(*_: object) -> NoReturn:
    raise KillAll


def _kill_children(tool: int, status: int) -> int:
    """Kill until there is no child left: children of a killed one become ours. The tool's status, if it comes now."""
    while True:
        for child in _children():
            with contextlib.suppress(ProcessLookupError, PermissionError):
                os.kill(child, signal.SIGKILL)
        try:
            while True:
                ended, how = os.waitpid(-1, os.WNOHANG)
                if ended == 0:
                    break
                if ended == tool:
                    status = how
        except ChildProcessError:
            return status
        time.sleep(_PAUSE_S)


def _children() -> list[int]:
    mine, found = os.getpid(), []
    for name in os.listdir("/proc"):
        with contextlib.suppress(OSError, ValueError, IndexError):
            with open(f"/proc/{int(name)}/stat", encoding="utf-8", errors="replace") as file:
                parent = int(file.read().rpartition(")")[2].split()[1])
            if parent == mine:
                found.append(int(name))
    return found


def _complain(error: Exception) -> NoReturn:
    sys.stderr.write(f"{NOT_STARTED}: {error}\n")
    sys.stderr.flush()
    os._exit(CANNOT_START)


def _end_like(status: int) -> NoReturn:
    """Exit with the code, or die of the signal, of the tool."""
    if os.WIFSIGNALED(status):
        number = os.WTERMSIG(status)
        resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
        with contextlib.suppress(OSError):
            signal.signal(number, signal.SIG_DFL)
        os.kill(os.getpid(), number)
    os._exit(os.waitstatus_to_exitcode(status) if os.WIFEXITED(status) else CANNOT_START)


if __name__ == "__main__":
    try:
        how_it_ended = main()
    except KillAll:  # before anything was started
        how_it_ended = signal.SIGKILL
    except (OSError, ValueError) as fault:
        _complain(fault)
    _end_like(how_it_ended)
