"""The log of a run: the first 256 KiB, the last 768 KiB, one marker between (contract: monitors §5.4)."""

import codecs
import re
import threading
from collections import deque
from collections.abc import Iterable
from datetime import datetime
from uuid import UUID

from django.utils import timezone

from monitors.runs.masking import Masker
from monitors.runs.models import LogChunk

HEAD_BYTES = 256 * 1024
TAIL_BYTES = 768 * 1024
CHUNK_BYTES = 64 * 1024
_LINES = re.compile(r"[^\n]*\n|[^\n]+")  # splitlines() would also cut at \r, \f and the like


class LogWriter:
    """Takes output from any thread and stores it in pieces when `flush` is called; memory and rows are bounded.

    Pieces of the head stay; pieces of the tail go as newer ones come. Bytes that are no UTF-8 become `�`.
    """

    def __init__(self, run_id: UUID, secrets: Iterable[str]) -> None:
        self._run_id = run_id
        self._masker = Masker(secrets)
        self._decoder = codecs.getincrementaldecoder("utf-8")("replace")
        self._lock = threading.Lock()
        self._pending = bytearray()
        self._ready: list[tuple[int, bytes]] = []  # pieces of the head that wait for the next flush
        self._start = 0  # offset of the first pending byte in the whole output
        self._tail: deque[tuple[int, int]] = deque()  # (offset, size) of stored pieces of the tail
        self._tail_size = 0
        self._at_line_start = True

    def write(self, data: bytes) -> None:
        with self._lock:
            self._take(self._decoder.decode(data))

    def note(self, text: str) -> None:
        """A line of ours, on a line of its own."""
        with self._lock:
            self._take(("" if self._at_line_start else "\n") + f"[runner] {text}\n")

    def masked(self, text: str) -> str:
        """A text of ours for elsewhere, without the run's secrets."""
        return self._masker.masked(text)

    def _take(self, text: str) -> None:
        if not text:
            return
        self._at_line_start = text.endswith("\n")
        self._pending += _encoded(self._masker.feed(text))
        if self._start < HEAD_BYTES < self._start + len(self._pending):
            self._ready += self._cut(HEAD_BYTES)
        surplus = len(self._pending) - TAIL_BYTES
        if self._start >= HEAD_BYTES and surplus > 0:  # nobody will read it
            del self._pending[:surplus]
            self._start += surplus

    def flush(self, *, last: bool = False) -> bool:
        """Store what came since the last call; whether there was anything. `last` ends the output."""
        with self._lock:
            if last:
                self._pending += _encoded(self._masker.feed(self._decoder.decode(b"", True)) + self._masker.finish())
            pieces = self._ready + self._cut(self._start + len(self._pending))
            self._ready = []
        if not pieces:
            return False
        now = timezone.now()
        LogChunk.objects.bulk_create(
            LogChunk(run_id=self._run_id, offset=start, size=len(data), text=data.decode(errors="replace"), at=now)
            for start, data in pieces
        )
        self._forget(pieces)
        return True

    def _cut(self, until: int) -> list[tuple[int, bytes]]:
        """Take the pending bytes before that offset, as pieces that end between characters."""
        pieces = []
        while self._pending and self._start < until:
            size = _whole_characters(self._pending, min(CHUNK_BYTES, until - self._start))
            pieces.append((self._start, bytes(self._pending[:size])))
            del self._pending[:size]
            self._start += size
        return pieces

    def _forget(self, pieces: list[tuple[int, bytes]]) -> None:
        self._tail.extend((start, len(data)) for start, data in pieces if start >= HEAD_BYTES)
        self._tail_size += sum(len(data) for start, data in pieces if start >= HEAD_BYTES)
        old = []
        while self._tail and self._tail_size - self._tail[0][1] >= TAIL_BYTES:
            offset, size = self._tail.popleft()
            self._tail_size -= size
            old.append(offset)
        if old:
            LogChunk.objects.filter(run_id=self._run_id, offset__lte=old[-1], offset__gte=HEAD_BYTES).delete()


def read(run_id: UUID, *, tail: int | None = None) -> str:
    """The stored log as text; with `tail` its last lines."""
    rows = LogChunk.objects.filter(run_id=run_id).order_by("offset").values_list("offset", "text")
    head, rest, start, end = [], [], 0, 0
    for offset, text in rows:
        size = len(text.encode())
        if offset < HEAD_BYTES:
            head.append(text)
        else:
            rest.append(text)
            start = start or offset
        end = offset + size
    first, last = "".join(head), "".join(rest)
    kept = last.encode()
    if len(kept) > TAIL_BYTES:
        last = kept[-TAIL_BYTES:].decode(errors="ignore")
    left_out = end - len(first.encode()) - len(last.encode())
    if last and left_out > 0:
        first += ("" if first.endswith("\n") else "\n") + f"[runner] … {left_out} bytes left out …\n"
    whole = first + last
    return "".join(_LINES.findall(whole)[-tail:]) if tail else whole


def delete_before(moment: datetime, *, most: int) -> int:
    """Delete at most `most` old pieces of logs; how many went."""
    old = list(LogChunk.objects.filter(at__lt=moment).order_by("at").values_list("pk", flat=True)[:most])
    return LogChunk.objects.filter(pk__in=old).delete()[0]


def _encoded(text: str) -> bytes:
    return text.replace("\x00", "\ufffd").encode(errors="replace")


def _whole_characters(data: bytearray, room: int) -> int:
    """The largest size up to `room` that does not cut a character; at least one character, which may pass it."""
    size = min(room, len(data))
    while 0 < size < len(data) and data[size] & 0xC0 == 0x80:
        size -= 1
    if size == 0:
        size = 1
        while size < len(data) and data[size] & 0xC0 == 0x80:
            size += 1
    return size
