"""The exchanges that are kept of a run: fair choices that can be merged, written down and read again."""

import heapq
import random
from base64 import b64decode, b64encode
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

from loadtest.engine.capture import MAX_WARNINGS, MOST

MAX_BYTES = 64 << 20  # of all that one reservoir keeps
FACTS_BYTES = 1_000  # what the facts of an exchange take, roughly

Item = tuple[dict[str, Any], bytes]  # facts, and the response as it came (empty if it was not asked for)


@dataclass
class Reservoir:
    """A fair choice of at most `limit` items and `max_bytes` out of all that were offered.

    Each item gets a random key, raised by its weight (Efraimidis and Spirakis, 2006), and those with the largest keys
    stay. So the choice from a whole is the choice from the choices of its parts.
    """

    limit: int
    max_bytes: int = MAX_BYTES
    seen: int = 0
    _kept: list[tuple[float, int, Item]] = field(default_factory=list)
    _bytes: int = 0

    def offer(self, item: Item, weight: int = 1) -> None:
        """One item that stands for `weight` of them."""
        self.seen += weight
        self._insert(random.random() ** (1 / weight), item)  # noqa: S311  (a sample, no secret)

    def _insert(self, key: float, item: Item) -> None:
        self._bytes += len(item[1]) + FACTS_BYTES
        heapq.heappush(self._kept, (key, id(item), item))
        while len(self._kept) > self.limit or self._bytes > self.max_bytes:
            self._bytes -= len(heapq.heappop(self._kept)[2][1]) + FACTS_BYTES

    def __len__(self) -> int:
        return len(self._kept)

    def items(self) -> list[Item]:
        """Oldest first."""
        return sorted((item for _, _, item in self._kept), key=lambda item: (item[0]["at"], item[0]["number"]))

    def dump(self) -> dict[str, Any]:
        rows = [[key, facts, b64encode(payload).decode()] for key, _, (facts, payload) in self._kept]
        return {"limit": self.limit, "seen": self.seen, "kept": rows}

    def take_over(self, dumped: dict[str, Any]) -> None:
        """Add what another reservoir wrote down."""
        self.seen += dumped["seen"]
        self.limit = max(self.limit, dumped["limit"])
        for key, facts, payload in dumped["kept"]:
            self._insert(key, (facts, b64decode(payload)))


class Samples:
    """Errors, slow responses, one in so many successes, and the responses that deferred tests will look at."""

    def __init__(self, *, responses: int = 0) -> None:
        self.kinds = {kind: Reservoir(most) for kind, most in MOST.items()} | {"response": Reservoir(responses)}
        self.warnings: list[str] = []

    def offer(self, facts: dict[str, Any], payload: bytes) -> None:
        """One exchange from a ring: `facts["kinds"]` says for what it is kept, with its weight."""
        for kind, weight in facts.pop("kinds").items():
            if kind == "warning":
                self.warn(facts["message"])
            else:
                self.kinds[kind].offer((facts, payload if kind == "response" else b""), weight)

    def warn(self, text: str) -> None:
        """Tell something once in the report."""
        if text not in self.warnings and len(self.warnings) < MAX_WARNINGS:
            self.warnings.append(text)

    @property
    def responses(self) -> list[Item]:
        """What deferred tests look at, oldest first. See exchange.parse for the payload."""
        return self.kinds["response"].items()

    def dump(self) -> dict[str, Any]:
        """All of it as plain data for JSON. Up to 90 MB with the responses of deferred tests."""
        return {"kinds": {kind: kept.dump() for kind, kept in self.kinds.items()}, "warnings": self.warnings}

    @classmethod
    def merge(cls, dumps: Sequence[dict[str, Any]]) -> "Samples":
        """The choice from what several parts of a run wrote down with `dump`."""
        made = cls()
        for dumped in dumps:
            for kind, kept in dumped["kinds"].items():
                made.kinds[kind].take_over(kept)
            for text in dumped["warnings"]:
                made.warn(text)
        return made

    @classmethod
    def load(cls, dumped: dict[str, Any]) -> "Samples":
        """What `dump` wrote."""
        return cls.merge([dumped])
