"""The output of a run on its way to the log: decoded, masked, cut into pieces (contract: monitors §5.4).

Knows no rows, so that it serves an agent too, which only speaks HTTP.
"""

import codecs
import threading
from collections.abc import Iterable

from monitors.runs.masking import Masker

HEAD_BYTES = 256 * 1024
TAIL_BYTES = 768 * 1024
CHUNK_BYTES = 64 * 1024

Piece = tuple[int, bytes]  # offset in the whole output, UTF-8 text


class Output:
    """Takes output from any thread and hands it on in pieces; memory is bounded.

    Of what waits, only the first 256 KiB and the last 768 KiB stay. Bytes that are no UTF-8 become `�`.
    """

    def __init__(self, secrets: Iterable[str]) -> None:
        self._masker = Masker(secrets)
        self._decoder = codecs.getincrementaldecoder("utf-8")("replace")
        self._lock = threading.Lock()
        self._pending = bytearray()
        self._ready: list[Piece] = []  # pieces of the head that wait for the next call
        self._start = 0  # offset of the first pending byte in the whole output
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

    def pieces(self, *, last: bool = False) -> list[Piece]:
        """What came since the last call; `last` ends the output."""
        with self._lock:
            if last:
                self._pending += encoded(self._masker.feed(self._decoder.decode(b"", True)) + self._masker.finish())
            found = self._ready + self._cut(self._start + len(self._pending))
            self._ready = []
        return found

    def _take(self, text: str) -> None:
        if not text:
            return
        self._at_line_start = text.endswith("\n")
        self._pending += encoded(self._masker.feed(text))
        if self._start < HEAD_BYTES < self._start + len(self._pending):
            self._ready += self._cut(HEAD_BYTES)
        surplus = len(self._pending) - TAIL_BYTES
        if self._start >= HEAD_BYTES and surplus > 0:  # nobody will read it
            del self._pending[:surplus]
            self._start += surplus

    def _cut(self, until: int) -> list[Piece]:
        """Take the pending bytes before that offset."""
        found = cut(self._pending, start=self._start, until=until)
        taken = sum(len(data) for _, data in found)
        del self._pending[:taken]
        self._start += taken
        return found


def cut(data: bytes | bytearray, *, start: int, until: int) -> list[Piece]:
    """The text from offset `start` to before `until` as pieces of at most 64 KiB that end between characters."""
    found, at = [], 0
    while at < len(data) and start + at < until:
        size = _whole_characters(data, at, min(CHUNK_BYTES, until - start - at))
        found.append((start + at, bytes(data[at : at + size])))
        at += size
    return found


def encoded(text: str) -> bytes:
    """UTF-8 that a database can store as text."""
    return text.replace("\x00", "\ufffd").encode(errors="replace")


def _whole_characters(data: bytes | bytearray, at: int, room: int) -> int:
    """The largest size up to `room` that does not cut a character; at least one character, which may pass it."""
    end = min(at + room, len(data))
    while at < end < len(data) and data[end] & 0xC0 == 0x80:
        end -= 1
    if end == at:
        end += 1
        while end < len(data) and data[end] & 0xC0 == 0x80:
            end += 1
    return end - at
