"""Turning a process into the tool: its limits, its user, what it sees, its environment."""

import os
import resource
import signal
import sys
from typing import Any, NoReturn

from codes import CANNOT_START, KILL_ALL
from landlock import hide
from view import open_way

PR_SET_PDEATHSIG, PR_SET_NO_NEW_PRIVS = 1, 38
BLOCKED = {KILL_ALL, signal.SIGTERM}  # by the launcher, around its fork


def become(order: dict[str, Any], program: int, libc: Any) -> NoReturn:
    """Give up all rights and become the program. Raises OSError when that is not possible."""
    launcher = os.getppid()
    for number in (*BLOCKED, signal.SIGPIPE):
        signal.signal(number, signal.SIG_DFL)
    signal.pthread_sigmask(signal.SIG_UNBLOCK, BLOCKED)
    os.dup2(os.open(os.devnull, os.O_RDONLY), 0)
    os.nice(order["nice"])
    for name, value in order["limits"].items():
        _limit(getattr(resource, f"RLIMIT_{name}"), value)
    libc.prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0)
    uid = order["uid"]
    if uid is not None and open_way(order["reads"], libc):
        program = os.open(order["command"][0], os.O_RDONLY)  # as it is in the new view
    if why := hide(order["hides"], libc):
        sys.stderr.write(f"The product's data folder is not hidden from the tool: {why}\n")
        sys.stderr.flush()
    if uid is not None:
        os.setgroups([])
        os.setresgid(uid, uid, uid)
        os.setresuid(uid, uid, uid)
    # After the change of user, which would clear it.
    libc.prctl(PR_SET_PDEATHSIG, signal.SIGKILL, 0, 0, 0)
    if os.getppid() != launcher:
        os._exit(CANNOT_START)
    if os.pread(program, 2, 0) == b"#!":  # its interpreter reads it by name
        os.execve(order["command"][0], order["command"], order["environment"])  # noqa: S606 - the very purpose
    os.execve(program, order["command"], order["environment"])  # noqa: S606


def _limit(which: int, value: int) -> None:
    _, hard = resource.getrlimit(which)
    value = value if hard == resource.RLIM_INFINITY else min(value, hard)
    resource.setrlimit(which, (value, value))
