"""Files that grow: their new lines, through rotation by renaming and by truncation."""

from __future__ import annotations

import glob
import logging
import os
import stat
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass

log = logging.getLogger(__name__)

SCAN_S = 5.0  # between looks for files that are new
GRACE_S = 10.0  # how long a file that was renamed or removed is read on
MOST_FILES = 200
MOST_READ_BYTES = 256 * 1024  # of one file at once, and a mebibyte of all
MOST_AT_ONCE_BYTES = 1024 * 1024
MOST_LINE_BYTES = 64 * 1024
PACKED = (".gz", ".xz", ".bz2", ".zst", ".zip")
NON_BLOCKING = getattr(os, "O_NONBLOCK", 0)  # a pipe with a fitting name must not hold up the rest

Line = tuple[str, str]  # path, text without its end
Identity = tuple[int, int]  # device and inode


@dataclass
class _File:
    path: str
    handle: int
    offset: int
    rest: bytes = b""  # the beginning of a line whose end has not come
    gone_at: float | None = None  # since when the path belongs to another file, or to none
    cut: bool = False  # a line too long was sent in part: what comes before its end is passed over


class Tail:
    """Follows the files that fit the patterns, from their end. Not safe for threads: one caller at a time."""

    def __init__(
        self,
        patterns: Sequence[str],
        *,
        beside: Callable[[], Sequence[str]] = tuple,
        scan_s: float = SCAN_S,
        grace_s: float = GRACE_S,
    ) -> None:
        self._patterns, self._beside, self._scan_s, self._grace_s = patterns, beside, scan_s, grace_s
        self._files: dict[Identity, _File] = {}
        self._scanned_at: float | None = None
        self._left: set[str] = set()  # paths that were not wanted: what they held then is not read later
        self._troubles: set[str] = set()

    def poll(self, wanted: Callable[[str], bool] = lambda path: True) -> tuple[list[Line], bool]:
        """New lines of the files that are wanted, and whether there may be more at once."""
        now = time.monotonic()
        if self._scanned_at is None or now - self._scanned_at >= self._scan_s:
            self._scan(wanted)
            self._scanned_at = now
        lines: list[Line] = []
        left, more = MOST_AT_ONCE_BYTES, False
        for identity, file in list(self._files.items()):
            if not wanted(file.path):
                self._left.add(file.path)
                self._close(identity)
                continue
            read = self._read(file, min(left, MOST_READ_BYTES), lines)
            left -= read
            more = more or read == MOST_READ_BYTES or left <= 0
            if not read:
                self._check(identity, file, now)
        return lines, more

    def close(self) -> None:
        for identity in list(self._files):
            self._close(identity)

    def _scan(self, wanted: Callable[[str], bool]) -> None:
        """Open the files that are not open yet: those of the first look at their end, later ones at their beginning."""
        first = self._scanned_at is None
        known, beside = {file.path for file in self._files.values()}, self._beside()
        for path in (*self._paths(), *beside):
            if len(self._files) >= MOST_FILES:
                self._tell_once(f"more than {MOST_FILES} log files fit; the others are not followed")
                return
            # What a followed file was copied or renamed to has been read already.
            is_old = (
                first
                or path in self._left
                or path in beside
                or any(path.startswith((f"{one}.", f"{one}-")) for one in known)
            )
            if wanted(path):
                self._open(path, at_end=is_old)
                self._left.discard(path)
            else:
                self._left.add(path)

    def _paths(self) -> Iterator[str]:
        for pattern in self._patterns:
            for path in sorted(glob.iglob(pattern, recursive=True)):
                if not path.endswith(PACKED):
                    yield path

    def _open(self, path: str, *, at_end: bool) -> None:
        try:
            handle = os.open(path, os.O_RDONLY | NON_BLOCKING)
        except OSError as exc:
            self._tell_once(f"a log file cannot be read: {exc}")
            return
        facts = os.fstat(handle)
        identity = (facts.st_dev, facts.st_ino)
        if identity in self._files or not stat.S_ISREG(facts.st_mode):
            os.close(handle)
            return
        self._files[identity] = _File(path, handle, facts.st_size if at_end else 0)

    def _read(self, file: _File, most: int, lines: list[Line]) -> int:
        """Add the whole lines that have come to `lines`; returns how many bytes were read."""
        try:
            if os.fstat(file.handle).st_size < file.offset:
                file.offset, file.rest, file.cut = 0, b"", False
            data = os.pread(file.handle, most, file.offset) if most > 0 else b""
        except OSError as exc:
            self._tell_once(f"a log file cannot be read: {exc}")
            return 0
        file.offset += len(data)
        *whole, file.rest = (file.rest + data).split(b"\n")
        for raw in whole:
            if not file.cut and raw:
                lines.append((file.path, _text(raw)))
            file.cut = False
        if len(file.rest) > MOST_LINE_BYTES:
            if not file.cut:
                lines.append((file.path, _text(file.rest)))
            file.rest, file.cut = b"", True
        return len(data)

    def _check(self, identity: Identity, file: _File, now: float) -> None:
        """A file at its end: when its path is another's by now, follow that one, and leave this one after a while."""
        try:
            facts = os.stat(file.path)
            is_here = (facts.st_dev, facts.st_ino) == identity
        except OSError:
            is_here = False
        if is_here:
            file.gone_at = None
            return
        if file.gone_at is None:
            file.gone_at = now
        if os.path.exists(file.path):
            self._open(file.path, at_end=False)
        if now - file.gone_at >= self._grace_s:
            self._close(identity)

    def _close(self, identity: Identity) -> None:
        file = self._files.pop(identity)
        os.close(file.handle)

    def _tell_once(self, trouble: str) -> None:
        if trouble not in self._troubles and len(self._troubles) < MOST_FILES:
            self._troubles.add(trouble)
            log.warning("%s", trouble)


def _text(raw: bytes) -> str:
    return raw[:MOST_LINE_BYTES].rstrip(b"\r").decode("utf-8", "replace")
