"""The readers of this process, and what was published lately."""

import asyncio
import threading
from collections import deque

from config.live.queue import Message, Queue, now_ms

REPLAY_MS = 60_000
REPLAY_EVENTS = 500
SKEW_MS = 2_000


class Hub:
    """Subscribers of this process by event loop and topic, and what was published lately."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._loops: dict[asyncio.AbstractEventLoop, dict[str, set[Queue]]] = {}
        self._recent: dict[str, deque[Message]] = {}
        self._overflowed: dict[str, int] = {}
        self._last_sweep = 0
        self.heard_all_since = now_ms()

    def deliver(self, message: Message) -> None:
        """Hand the message to every subscriber in this process, whatever loop it runs on."""
        with self._lock:
            self._keep(message)
            loops = list(self._loops.items())
        for loop, topics in loops:
            if message.topic in topics:
                try:
                    loop.call_soon_threadsafe(self._fan_out, topics, message)
                except RuntimeError:  # the loop has closed; its subscribers went with it
                    with self._lock:
                        self._loops.pop(loop, None)

    def _keep(self, message: Message) -> None:
        recent = self._recent.setdefault(message.topic, deque(maxlen=REPLAY_EVENTS))
        if len(recent) == REPLAY_EVENTS:
            self._overflowed[message.topic] = recent[0].number
        # Only what a hint needs: whole events of a large fleet would fill the memory.
        event = {"kind": message.event.get("kind")} if isinstance(message.event, dict) else message.event
        recent.append(message._replace(event=event))
        now = now_ms()
        while recent[0].number < now - REPLAY_MS and len(recent) > 1:
            recent.popleft()
        if now - self._last_sweep > REPLAY_MS:
            self._last_sweep = now
            old = [topic for topic, kept in self._recent.items() if kept[-1].number < now - REPLAY_MS]
            for topic in old:
                del self._recent[topic]
                self._overflowed.pop(topic, None)

    @staticmethod
    def _fan_out(topics: dict[str, set[Queue]], message: Message) -> None:
        for queue in topics.get(message.topic, ()):
            queue.put(message)

    def readers(self) -> int:
        """How many listen in this process now."""
        with self._lock:
            return len({id(queue) for topics in self._loops.values() for queues in topics.values() for queue in queues})

    def join(self, queue: Queue, topics: set[str]) -> None:
        loop = asyncio.get_running_loop()
        with self._lock:
            mine = self._loops.setdefault(loop, {})
            for topic in topics:
                mine.setdefault(topic, set()).add(queue)

    def leave(self, queue: Queue, topics: set[str]) -> None:
        with self._lock:
            mine = self._loops.get(asyncio.get_running_loop(), {})
            for topic in topics:
                if queues := mine.get(topic):
                    queues.discard(queue)
                    if not queues:
                        del mine[topic]

    def replay(self, topic: str, after: int) -> tuple[list[Message], bool]:
        """What came after the number `after`, and whether that is all of it; if not, the reader starts afresh.

        Of an event that is a dict only its `kind` is kept.
        Publishers' clocks differ a little, so a few messages may come twice; hints are harmless to repeat.
        """
        with self._lock:
            recent = [message for message in self._recent.get(topic, ()) if message.number > after - SKEW_MS]
            reach = max(self.heard_all_since, now_ms() - REPLAY_MS, self._overflowed.get(topic, 0))
        return recent, after >= reach


hub = Hub()
