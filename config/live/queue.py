"""What waits for one reader: bounded, and honest about what it had to drop."""

import asyncio
import time
from collections import deque
from typing import Any, NamedTuple

QUEUE_SIZE = 1000


def now_ms() -> int:
    return time.time_ns() // 1_000_000


class Message(NamedTuple):
    """One event: `number` is the publisher's clock in milliseconds since 1970, the sequence number of a topic."""

    topic: str
    number: int
    event: Any


class Queue:
    """A bounded queue of messages for one subscriber, used on its own event loop only."""

    def __init__(self, size: int = QUEUE_SIZE) -> None:
        self._items: deque[Message] = deque(maxlen=size)
        self._ready = asyncio.Event()
        self.dropped = 0

    def put(self, message: Message) -> None:
        if len(self._items) == self._items.maxlen:
            self.dropped += 1
        self._items.append(message)
        self._ready.set()

    async def get(self) -> Message:
        """The next message; waits for one."""
        while not self._items:
            self._ready.clear()
            await self._ready.wait()
        return self._items.popleft()

    def take_dropped(self) -> int:
        """How many events were lost since the last call."""
        dropped, self.dropped = self.dropped, 0
        return dropped
