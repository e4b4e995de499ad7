"""Sampled exchanges on their way from a loop to the supervisor: a ring of bytes below the page of figures.

One writer, one reader. The ring is emptied ten times a second; what does not fit in between is refused and counted,
so a run with nothing but errors costs neither memory nor speed.
"""

import json
import random
import struct
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

from loadtest.engine.stats import Cell, Page

MAX_PAYLOAD_BYTES = 65_536
_HEADER = struct.Struct("<II")  # length of the facts, length of the payload


class Ring:
    """The ring of one page. Positions only grow; the place is the position modulo the ring's size."""

    def __init__(self, page: Page) -> None:
        self._counters, self._ring = page.counters, page.ring

    def put(self, facts: dict[str, Any], payload: bytes = b"") -> None:
        """Write one exchange; refuse it if there is no room. `payload` is the response as it came, cut at 64 KiB."""
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


@dataclass
class Reservoir:
    """A fair choice of at most `limit` items out of all that were offered, in the order they came."""

    limit: int
    offered: int = 0
    _kept: list[tuple[int, Any]] = field(default_factory=list)

    def offer(self, item: Any) -> None:
        self.offered += 1
        if len(self._kept) < self.limit:
            self._kept.append((self.offered, item))
        elif (place := random.randrange(self.offered)) < self.limit:  # noqa: S311  (a sample, no secret)
            self._kept[place] = (self.offered, item)

    def items(self) -> list[Any]:
        return [item for _, item in sorted(self._kept, key=lambda kept: kept[0])]


class Samples:
    """What the supervisor keeps of the exchanges: errors, slow ones, and one in so many."""

    def __init__(self, *, errors: int = 500, slow: int = 250, regular: int = 1000) -> None:
        self.kinds = {"error": Reservoir(errors), "slow": Reservoir(slow), "sample": Reservoir(regular)}

    def offer(self, facts: dict[str, Any], payload: bytes) -> None:
        for kind in facts["kinds"]:
            self.kinds[kind].offer((facts, payload))
