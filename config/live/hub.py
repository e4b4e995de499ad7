"""The readers of this process, and what was published lately."""

import asyncio
import threading
from collections.abc import Iterable
from typing import Any, Protocol

from config.live.queue import Message, now_ms
from config.live.recent import Recent


class Reader(Protocol):
    """Whom the hub hands messages to, on the reader's own event loop."""

    def put(self, message: Message) -> None: ...


class Hub:
    """Subscribers of this process by event loop and topic, and what was published lately."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._loops: dict[asyncio.AbstractEventLoop, dict[str, set[Reader]]] = {}
        self._recent = Recent()
        self._number = 0
        self.heard_all_since = now_ms()

    def publish(self, events: Iterable[tuple[str, Any]]) -> None:
        """Number the events of this process, which has no others beside it, and deliver them."""
        events = list(events)
        with self._lock:
            for topic, event in events:
                self._number = max(self._number + 1, now_ms())
                self._deliver(Message(topic, self._number, event))

    def deliver(self, message: Message) -> None:
        """Hand the message to every subscriber in this process, whatever loop it runs on."""
        with self._lock:
            self._deliver(message)

    def _deliver(self, message: Message) -> None:
        self._recent.keep(message)
        for loop, topics in list(self._loops.items()):
            if message.topic in topics:
                try:
                    loop.call_soon_threadsafe(self._fan_out, topics, message)
                except RuntimeError:  # the loop has closed; its subscribers went with it
                    self._loops.pop(loop, None)

    @staticmethod
    def _fan_out(topics: dict[str, set[Reader]], message: Message) -> None:
        for reader in topics.get(message.topic, ()):
            reader.put(message)

    def readers(self) -> int:
        """How many listen in this process now."""
        with self._lock:
            return len({id(one) for topics in self._loops.values() for readers in topics.values() for one in readers})

    def listens(self, topic: str) -> bool:
        """Whether anybody in this process listens to the topic."""
        with self._lock:
            return any(topic in topics for topics in self._loops.values())

    def join(self, reader: Reader, topics: set[str]) -> None:
        loop = asyncio.get_running_loop()
        with self._lock:
            mine = self._loops.setdefault(loop, {})
            for topic in topics:
                mine.setdefault(topic, set()).add(reader)

    def leave(self, reader: Reader, topics: set[str]) -> None:
        loop = asyncio.get_running_loop()
        with self._lock:
            mine = self._loops.get(loop, {})
            for topic in topics:
                if readers := mine.get(topic):
                    readers.discard(reader)
                    if not readers:
                        del mine[topic]
            if not mine:  # a loop that lived for one question only is let go
                self._loops.pop(loop, None)

    def replay(self, topic: str, after: int, *, overlap_ms: int = 0) -> tuple[list[Message], bool]:
        """What came after the number `after`, and whether that is all of it; if not, the reader starts afresh.

        With an overlap, for a reader that knows only a time by another clock, some messages may be old ones. Of events
        of some topics only the `kind` is kept: see `config.live.recent.WHOLE`.
        """
        with self._lock:
            found, whole = self._recent.since(topic, after - overlap_ms)
            return found, after >= self.heard_all_since and whole


hub = Hub()
