"""Hints for our own pages: that a topic has moved. A page then fetches what it shows."""

import asyncio
from typing import Any

from config import live

HINT_PAUSE_S = 0.1
OVERLAP_MS = 2000  # a page knows when it was made, by the clock of the process that made it


class Hints:
    """The newest hint of each topic until its turn comes, at most ten a second."""

    def __init__(self) -> None:
        self._waiting: dict[str, dict[str, Any]] = {}
        self._any = asyncio.Event()

    def add(self, message: live.Message) -> None:
        kind = message.event.get("kind") if isinstance(message.event, dict) else None
        number = message.number
        self._waiting[message.topic] = {"type": "ui", "topic": message.topic, "seq": number, "at": number, "kind": kind}
        self._any.set()

    def add_missed(self, topic: str, after: int) -> bool:
        """The hints since the number `after`; False when that is not known any more."""
        missed, whole = live.hub.replay(topic, after, overlap_ms=OVERLAP_MS)
        for message in missed if whole else ():
            self.add(message)
        return whole

    async def next(self) -> dict[str, Any]:
        """The next hint; waits for one."""
        await self._any.wait()
        hint = self._waiting.pop(next(iter(self._waiting)))
        if not self._waiting:
            self._any.clear()
        return hint
