"""Hide folders from the tool, also when it runs as our own user: by Landlock, which needs no rights to use.

Landlock knows only what is allowed. So all is allowed that lies beside the way to a hidden folder; on the way itself,
nothing can be listed. Under Landlock a process cannot look into processes that are not, such as the worker: their
environment and memory are closed too.
"""

import ctypes
import os
import stat
import struct
from typing import Any

CREATE_RULESET, ADD_RULE, RESTRICT_SELF = 444, 445, 446  # the numbers of every 64-bit Linux
ASK_VERSION, PATH_BENEATH = 1, 1
EXECUTE, WRITE_FILE, READ_FILE, TRUNCATE = 1 << 0, 1 << 1, 1 << 2, 1 << 14
FIRST_VERSION = (1 << 13) - 1  # all rights that the first version knows
REFER = 1 << 13


def hide(folders: list[str], libc: Any) -> str | None:
    """Close the folders to this process and its children. Why that cannot be done here, or None."""
    present = [os.path.realpath(folder) for folder in folders if os.path.isdir(folder)]
    version = libc.syscall(CREATE_RULESET, None, 0, ASK_VERSION)
    if version < 1:
        return f"the kernel has no Landlock ({os.strerror(ctypes.get_errno())})"
    rights = FIRST_VERSION | (REFER if version >= 2 else 0) | (TRUNCATE if version >= 3 else 0)
    rules = libc.syscall(CREATE_RULESET, struct.pack("=Q", rights), 8, 0)
    if rules < 0:
        return os.strerror(ctypes.get_errno())
    try:
        for path in _beside(present):
            _allow(path, rights, rules, libc)
    except OSError as error:  # a folder on the way that cannot be listed
        return str(error)
    if libc.syscall(RESTRICT_SELF, rules, 0) != 0:
        return os.strerror(ctypes.get_errno())
    os.close(rules)
    return None


def _beside(hidden: list[str]) -> list[str]:
    """What lies beside the ways to the hidden folders, from the root down."""
    ways = {"/"} | {path[:at] for path in hidden for at in range(1, len(path)) if path[at] == "/"}
    return [
        entry.path
        for way in sorted(ways)
        for entry in os.scandir(way)
        if not entry.is_symlink() and entry.path not in ways and entry.path not in hidden
    ]


def _allow(path: str, rights: int, rules: int, libc: Any) -> None:
    try:
        place = os.open(path, os.O_PATH | os.O_NOFOLLOW | os.O_CLOEXEC)
    except OSError:  # gone meanwhile, or closed to us: then it stays closed
        return
    if not stat.S_ISDIR(os.fstat(place).st_mode):
        rights &= EXECUTE | WRITE_FILE | READ_FILE | TRUNCATE
    libc.syscall(ADD_RULE, rules, PATH_BENEATH, struct.pack("=Qi", rights, place), 0)
    os.close(place)
