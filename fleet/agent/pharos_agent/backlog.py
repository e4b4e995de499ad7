"""Samples on their way to the server: a bounded queue in memory, with a bounded copy on disk.

Memory is the truth. The file holds what waited when the connection was lost, so that it survives a restart
of the agent; if it cannot be written, only that is lost. Redelivery is harmless: the server ignores a sample
that it already has.
"""

from __future__ import annotations

import json
import logging
import os
import shutil
from collections import deque
from collections.abc import Callable, Collection
from pathlib import Path
from typing import Any

from pharos_agent.frames import MAX_FRAME_BYTES, compact

log = logging.getLogger(__name__)

MAX_SAMPLES = 20_000
MAX_MEMORY_BYTES = 3 * 1024 * 1024
# The old and the new file exist together while one replaces the other: 5 + 3 MiB keep both within 8 MiB.
MAX_FILE_BYTES = 5 * 1024 * 1024
MIN_FREE_SHARE = 0.05
MAX_SAMPLE_BYTES = MAX_FRAME_BYTES - 1024  # room for the frame around it


class Backlog:
    """Samples (payload dictionaries) in the order they were taken; the oldest are dropped when it is full."""

    def __init__(
        self,
        path: Path | None = None,
        *,
        instance_id: str = "",
        max_samples: int = MAX_SAMPLES,
        max_memory_bytes: int = MAX_MEMORY_BYTES,
        max_file_bytes: int = MAX_FILE_BYTES,
    ) -> None:
        self._path = path
        self._instance_id = instance_id
        self._max_samples = max_samples
        self._max_memory_bytes = max_memory_bytes
        self._max_file_bytes = max_file_bytes
        self._lines: deque[bytes] = deque()
        self._bytes = 0
        self._first = 0  # sequence number of the oldest sample held
        self._unwritten = 0  # how many of the newest samples are not in the file
        self._disk_trouble = ""
        self.dropped = 0
        self._load()

    def __len__(self) -> int:
        return len(self._lines)

    def add(self, sample: dict[str, Any]) -> None:
        """Queue a sample. One too large for a frame is refused with a log entry."""
        line = compact(sample).encode()
        if len(line) > MAX_SAMPLE_BYTES:
            log.error("a sample of %d bytes is too large to send and was dropped", len(line))
            return
        self._append(line)

    def peek(self, count: int) -> tuple[int, list[dict[str, Any]]]:
        """The oldest `count` samples, and the number to give to `confirm` once they have arrived."""
        lines = [self._lines[index] for index in range(min(count, len(self._lines)))]
        return self._first + len(lines), [json.loads(line) for line in lines]

    def confirm(self, upto: int) -> None:
        """Forget every sample before sequence number `upto`: the server has them."""
        while self._lines and self._first < upto:
            self._pop()
        if not self._lines:
            self.save()

    def spill(self) -> None:
        """Write what waits to the file, adding only what is not there yet."""
        if self._path and self._unwritten:
            self._on_disk(self._add_to_file, self._path)

    def save(self) -> None:
        """Make the file hold exactly what waits; no file when nothing waits."""
        if self._path:
            self._on_disk(self._replace_file if self._lines else self._remove_file, self._path)

    def _append(self, line: bytes) -> None:
        self._lines.append(line)
        self._bytes += len(line)
        self._unwritten += 1
        while len(self._lines) > self._max_samples or self._bytes > self._max_memory_bytes:
            self._pop()
            self.dropped += 1

    def _pop(self) -> None:
        self._bytes -= len(self._lines.popleft())
        self._first += 1
        self._unwritten = min(self._unwritten, len(self._lines))

    def _on_disk(self, action: Callable[[Path], None], path: Path) -> None:
        """Do `action`; a failure is logged once until the disk works again, and memory goes on alone."""
        try:
            action(path)
        except OSError as exc:
            if str(exc) != self._disk_trouble:
                log.warning("waiting samples are kept in memory only: %s", exc)
            self._disk_trouble = str(exc)
        else:
            self._disk_trouble = ""

    def _add_to_file(self, path: Path) -> None:
        newest = [self._lines[index] for index in range(len(self._lines) - self._unwritten, len(self._lines))]
        size = path.stat().st_size if path.exists() else 0
        if size + sum(len(line) + 1 for line in newest) > self._max_file_bytes:
            self._replace_file(path)
        else:
            _write(path, "ab", newest)
            self._unwritten = 0

    def _replace_file(self, path: Path) -> None:
        new = path.with_suffix(".new")
        try:
            _write(new, "wb", self._lines)
            os.replace(new, path)
        except OSError:
            new.unlink(missing_ok=True)
            raise
        self._unwritten = 0

    def _remove_file(self, path: Path) -> None:
        path.unlink(missing_ok=True)
        self._unwritten = 0

    def _load(self) -> None:
        """Take over what an earlier run left, skipping torn lines and samples of another instance."""
        if not self._path or not self._path.exists():
            return
        try:
            with self._path.open("rb") as file:
                file.seek(max(0, self._path.stat().st_size - self._max_file_bytes))
                data = file.read(self._max_file_bytes)
        except OSError as exc:
            log.warning("waiting samples of an earlier run cannot be read: %s", exc)
            return
        for line in data.splitlines():
            if self._is_ours(line):
                self._append(line)
        self.save()  # without the rest of a torn line, to which the next one would be added
        log.info("%d samples of an earlier run wait to be sent", len(self._lines))

    def _is_ours(self, line: bytes) -> bool:
        try:
            sample = json.loads(line)
        except (ValueError, RecursionError):
            return False
        return (
            isinstance(sample, dict)
            and isinstance(sample.get("timestamp"), str)
            and sample.get("instance_id") == self._instance_id
            and len(line) <= MAX_SAMPLE_BYTES
        )


def _write(path: Path, mode: str, lines: Collection[bytes]) -> None:
    """Write lines, readable by the owner alone. Raises OSError, also on a disk that is nearly full."""
    data = b"".join(line + b"\n" for line in lines)
    disk = shutil.disk_usage(path.parent)
    if disk.free - len(data) < disk.total * MIN_FREE_SHARE:
        raise OSError("the disk is nearly full")
    with open(path, mode, opener=lambda name, flags: os.open(name, flags, 0o600)) as file:
        file.write(data)
