"""Log files that people may look at: those below `PHAROS_AGENT_LOG_DIRS` and those that the agent follows.

On the wire a path has no leading slash. Whatever is asked for, the file that is opened lies, links followed, in one of
the allowed directories (contract: fleet console §7).
"""

from __future__ import annotations

import glob
import json
import os
import stat
from collections.abc import Iterator, Sequence
from datetime import datetime, timezone
from typing import Any, BinaryIO

from pharos_agent.frames import clean, timestamp
from pharos_agent.tailing import NON_BLOCKING, PACKED

MOST_FILES = 500
MOST_DEPTH = 4
MOST_PATH, MOST_LINES = 512, 5000
MOST_ANSWER_BYTES = 900 * 1024  # of lines as JSON: an answer is one frame
MOST_LINE_BYTES = 64 * 1024
MOST_READ_BYTES = 256 * 1024 * 1024  # of one file for one question
MAGIC = "*?["


class Refused(Exception):
    """The file is not to be seen, or not there; the text says so to the person who asks."""


class LogFiles:
    """What of this machine's files may be looked at."""

    def __init__(self, directories: Sequence[str], patterns: Sequence[str]) -> None:
        self._directories, self._patterns = directories, patterns

    def sources(self) -> list[dict[str, Any]]:
        """The files there are, by path, at most 500."""
        found = {}
        for path in self._paths():
            if len(found) >= MOST_FILES:
                break
            if path not in found and (facts := self._facts(path)):
                found[path] = {
                    "path": clean(path.lstrip("/"), MOST_PATH),
                    "name": clean(os.path.basename(path)),
                    "size_bytes": facts.st_size,
                    "last_modified": timestamp(datetime.fromtimestamp(facts.st_mtime, timezone.utc)),
                }
        return [found[path] for path in sorted(found)]

    def read(self, path: Any, lines: Any, offset: Any) -> dict[str, Any]:
        """`lines` lines from the line `offset` on, the first being 1, and how many there are. Raises Refused.

        Fewer lines come when they are long. Of a file of more than 256 MiB only that much is read, and the number of
        its lines is None.
        """
        if not (isinstance(path, str) and isinstance(lines, int) and isinstance(offset, int)) or len(path) > MOST_PATH:
            raise Refused("the question cannot be read")
        with self._open("/" + path.lstrip("/")) as file:
            shown, total = _pick(file, max(1, offset), min(max(1, lines), MOST_LINES))
        return {"lines": shown, "total_lines": total}

    def is_beside(self, path: str) -> bool:
        """Whether the file may be looked at, and is not followed anyway."""
        return self._facts(path) is not None and not any(
            path in glob.iglob(one, recursive=True) for one in self._patterns
        )

    def _paths(self) -> Iterator[str]:
        for pattern in self._patterns:
            yield from sorted(glob.iglob(pattern, recursive=True))
        for directory in self._directories:
            base = os.path.normpath(directory)
            for folder, inner, names in os.walk(base):
                inner[:] = sorted(inner) if folder[len(base) :].count("/") < MOST_DEPTH else []
                yield from (os.path.join(folder, name) for name in sorted(names))

    def _facts(self, path: str) -> os.stat_result | None:
        real = self._allowed(path)
        try:
            facts = os.stat(real) if real else None
        except OSError:
            return None
        return facts if facts and stat.S_ISREG(facts.st_mode) else None

    def _allowed(self, path: str) -> str | None:
        """Where the path really leads, if that may be seen."""
        if "\x00" in path or ".." in path.split("/") or path.endswith(PACKED):
            return None
        real = os.path.realpath(path)
        below = any(_is_below(real, os.path.realpath(one)) for one in self._directories)
        return real if below or self._follows(path, real) else None

    def _follows(self, path: str, real: str) -> bool:
        """Whether a pattern names the file, and it lies where the pattern looks."""
        return any(
            _is_below(real, os.path.realpath(_fixed_part(pattern))) and path in glob.iglob(pattern, recursive=True)
            for pattern in self._patterns
        )

    def _open(self, path: str) -> BinaryIO:
        real = self._allowed(path)
        if real is None:
            raise Refused("there is no such log file, or it may not be seen")
        try:
            handle = os.open(real, os.O_RDONLY | NON_BLOCKING | getattr(os, "O_NOFOLLOW", 0))
        except OSError as exc:
            raise Refused(f"the log file cannot be read: {exc.strerror}") from None
        if not stat.S_ISREG(os.fstat(handle).st_mode):
            os.close(handle)
            raise Refused("this is no file")
        return os.fdopen(handle, "rb")


def _is_below(path: str, directory: str) -> bool:
    return path.startswith(directory.rstrip("/") + "/")


def _fixed_part(pattern: str) -> str:
    """The directory before the first part of a pattern that stands for several."""
    parts = os.path.dirname(pattern).split("/")
    fixed = next((at for at, part in enumerate(parts) if any(mark in part for mark in MAGIC)), len(parts))
    return "/".join(parts[:fixed]) or "/"


def _pick(file: BinaryIO, offset: int, count: int) -> tuple[list[str], int | None]:
    """The wanted lines, each cut at 64 KiB, and the number of all, in one pass."""
    number, size, room = 0, 0, MOST_ANSWER_BYTES
    picked: list[str] = []
    begins = True  # what is read next is the beginning of a line
    while size < MOST_READ_BYTES and (raw := file.readline(MOST_LINE_BYTES)):
        size += len(raw)
        if begins:
            number += 1
            if number >= offset and len(picked) < count and room > 0:
                text = raw.rstrip(b"\r\n").decode("utf-8", "replace").replace("\x00", "\ufffd")
                room -= len(json.dumps(text, ensure_ascii=False).encode()) + 1
                if room > 0:
                    picked.append(text)
        begins = raw.endswith(b"\n")
    return picked, number if size < MOST_READ_BYTES else None
