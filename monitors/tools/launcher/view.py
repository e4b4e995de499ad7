"""What a tool's user sees of the file system: the tool itself, wherever it lies."""

import ctypes
import os
import stat
from typing import Any

CLONE_NEWNS, MS_NOSUID, MS_NODEV, MS_BIND, MS_REC, MS_PRIVATE = 1 << 17, 2, 4, 1 << 12, 1 << 14, 1 << 18


def open_way(folders: list[str], libc: Any) -> bool:
    """Let the tool's user reach what the tool consists of, e.g. a Python below /root.

    A folder that is closed to others is replaced by an empty one with only these folders in it, in a view of the
    file system that nobody but the tool has. Whether there was anything to do. Raises OSError.
    """
    closed: dict[str, list[str]] = {}
    for folder in folders:
        ways = (folder[:at] for at in range(1, len(folder)) if folder[at] == "/")
        if top := next((way for way in ways if not os.stat(way).st_mode & stat.S_IXOTH), None):
            closed.setdefault(top, []).append(folder)
    if closed:
        _checked(libc.unshare(CLONE_NEWNS), "no view of its own of the file system")
        _mount(libc, None, "/", None, MS_REC | MS_PRIVATE)
    for top, inside in closed.items():
        handles = [(folder, os.open(folder, os.O_PATH | os.O_DIRECTORY)) for folder in inside]
        _mount(libc, "tmpfs", top, "tmpfs", MS_NOSUID | MS_NODEV, "mode=0755,size=1m")
        for folder, handle in handles:
            os.makedirs(folder, exist_ok=True)
            _mount(libc, f"/proc/self/fd/{handle}", folder, None, MS_BIND | MS_REC)
            os.close(handle)
    return bool(closed)


def _mount(libc: Any, source: str | None, target: str, kind: str | None, flags: int, data: str | None = None) -> None:
    texts = [text.encode() if text is not None else None for text in (source, target, kind, data)]
    _checked(libc.mount(texts[0], texts[1], texts[2], ctypes.c_ulong(flags), texts[3]), target)


def _checked(result: int, what: str) -> None:
    if result != 0:
        number = ctypes.get_errno()
        raise OSError(number, f"{os.strerror(number)} ({what}; its user cannot reach all of its files)")
