"""The first program of a tool's process: sets limits, gives up rights, becomes the tool (contract: monitors §8.1).

Started as `python -I -S launcher.py` with a JSON object on standard input, so that neither limits nor secrets go
through code between fork and exec, which is unsafe in a process with threads, or show in a process list. It imports
the standard library only.
"""

import ctypes
import json
import os
import resource
import signal
import sys

PR_SET_PDEATHSIG, PR_SET_NO_NEW_PRIVS = 1, 38
CANNOT_START = 126


def main() -> None:
    order = json.loads(sys.stdin.buffer.read())
    # Opened while that is still allowed: the tool may lie in a folder that its user cannot enter.
    program = os.open(order["command"][0], os.O_RDONLY)
    os.set_inheritable(program, True)
    null = os.open(os.devnull, os.O_RDONLY)
    os.dup2(null, 0)
    os.nice(order["nice"])
    for name, value in order["limits"].items():
        limit = getattr(resource, f"RLIMIT_{name}")
        _, hard = resource.getrlimit(limit)
        value = value if hard == resource.RLIM_INFINITY else min(value, hard)
        resource.setrlimit(limit, (value, value))
    if order["uid"] is not None:
        os.setgroups([])
        os.setresgid(order["uid"], order["uid"], order["uid"])
        os.setresuid(order["uid"], order["uid"], order["uid"])
    libc = ctypes.CDLL(None, use_errno=True)
    libc.prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0)
    # After the change of user, which would clear it: the tool dies with the worker that started it.
    libc.prctl(PR_SET_PDEATHSIG, signal.SIGKILL, 0, 0, 0)
    if os.getppid() != order["parent"]:
        os._exit(CANNOT_START)
    os.execve(program, order["command"], order["environment"])  # noqa: S606 - the very purpose


if __name__ == "__main__":
    try:
        main()
    except (OSError, ValueError) as error:
        sys.stderr.write(f"The tool cannot be started: {error}\n")
        sys.stderr.flush()
        os._exit(CANNOT_START)
