"""Exchanges on their way from a loop to the supervisor: a ring of bytes below the page of figures.

One writer, one reader. The ring is emptied many times a second; what does not fit in between is refused and counted.
Turn decides in the loop which exchanges are written at all, so a run with nothing but errors stays fast.
"""

import json
import struct
from collections.abc import Iterator
from typing import Any

from loadtest.engine.stats import Cell, Page

# contract: load testing §14.7, which allows more. A report shows 100; each one kept costs a loop some microseconds.
MOST = {"error": 1_000, "slow": 250, "sample": 250}
MAX_WARNINGS = 20
MAX_BODY_BYTES = 65_536
MAX_PAYLOAD_BYTES = MAX_BODY_BYTES + 16_384  # the head and the framing of chunks have room beside it
NEVER = 1 << 62
_HEADER = struct.Struct("<II")  # length of the facts, length of the payload


class Turn:
    """One in `every`, the first of them included; after each `most` that were kept, half as many of the following.

    So a run of any length costs little, and the supervisor can still choose fairly: what `take` returns is the number
    of turns for which the kept one stands.
    """

    def __init__(self, every: int, most: int, *, ahead: int = 0) -> None:
        self.next = 1 + ahead if every else NEVER  # ordinals count from 1
        self._every, self._most, self._left, self._weight = every, most, most, 1

    def take(self, ordinal: int) -> int:
        """The weight of this one, 0 if it is not its turn."""
        if ordinal < self.next:
            return 0
        weight = self._weight
        self._left -= 1
        if not self._left:
            self._left, self._weight = self._most, 2 * weight
        self.next = ordinal + self._every * self._weight
        return weight


class Ring:
    """The ring of one page. Positions only grow; the place is the position modulo the ring's size."""

    def __init__(self, page: Page) -> None:
        self._counters, self._ring = page.counters, page.ring

    def put(self, facts: dict[str, Any], payload: bytes = b"") -> None:
        """Write one exchange; refuse it if there is no room. `payload` is the response as it came."""
        text = json.dumps(facts).encode()
        payload = payload[:MAX_PAYLOAD_BYTES]
        record = _HEADER.pack(len(text), len(payload)) + text + payload
        written = self._counters[Cell.RING_WRITTEN]
        if written + len(record) - self._counters[Cell.RING_READ] > len(self._ring):
            self._counters[Cell.RING_REFUSED] += 1
            return
        place = written % len(self._ring)
        first = record[: len(self._ring) - place]
        self._ring[place : place + len(first)] = first
        self._ring[: len(record) - len(first)] = record[len(first) :]
        self._counters[Cell.RING_WRITTEN] = written + len(record)  # last: the reader looks at this first

    def take(self) -> Iterator[tuple[dict[str, Any], bytes]]:
        """Everything written so far, oldest first."""
        end, at = self._counters[Cell.RING_WRITTEN], self._counters[Cell.RING_READ]
        while at < end:
            text, payload = _HEADER.unpack(self._read(at, _HEADER.size))
            at += _HEADER.size
            facts = json.loads(self._read(at, text))
            yield facts, self._read(at + text, payload)
            at += text + payload
            self._counters[Cell.RING_READ] = at

    def _read(self, at: int, count: int) -> bytes:
        place = at % len(self._ring)
        first = bytes(self._ring[place : place + count])
        return first + bytes(self._ring[: count - len(first)])
