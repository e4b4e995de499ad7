"""Live events: `publish` from any thread or process, `subscribe` from async code.

Events are hints; rows are the truth. Publish after commit. Without Redis the events stay in this process; with
`REDIS_URL` every process hears every event. A full queue drops its oldest event and counts it, so that a slow reader
costs neither memory nor the others' time. The last 60 s of each topic are kept for `Hub.replay`.
"""

from collections.abc import AsyncIterator, Awaitable, Callable, Iterable
from contextlib import asynccontextmanager
from typing import Any

from django.conf import settings

from config.live import broker
from config.live.hub import Hub, hub
from config.live.listener import Listener
from config.live.queue import QUEUE_SIZE, Message, Queue, now_ms
from config.live.recent import REPLAY_EVENTS, REPLAY_MS

__all__ = [
    "REPLAY_EVENTS",
    "REPLAY_MS",
    "Hub",
    "Listener",
    "Message",
    "Queue",
    "Subscription",
    "hub",
    "listen",
    "now_ms",
    "publish",
    "publish_all",
    "subscribe",
]


class Subscription:
    """What one reader listens to; topics may change while it reads."""

    def __init__(self, queue: Queue) -> None:
        self.queue, self.topics = queue, set[str]()

    def add(self, *topics: str) -> None:
        fresh = set(topics) - self.topics
        self.topics |= fresh
        hub.join(self.queue, fresh)

    def remove(self, *topics: str) -> None:
        old = set(topics) & self.topics
        self.topics -= old
        hub.leave(self.queue, old)

    def resume(self, topics: Iterable[str], after: int) -> list[str]:
        """Hear what these topics told after the number `after`, before anything else, and nothing of it twice.

        The topics of which something is missing are the answer; of those nothing is told again.
        """
        found, broken = [], []
        for topic in topics:
            missed, whole = hub.replay(topic, after)
            if whole:
                found += missed
            else:
                broken.append(topic)
        self.queue.resume(found)
        return broken

    async def get(self) -> Message:
        return await self.queue.get()


def publish(topic: str, event: Any) -> None:
    """Tell every reader of `topic`. Never raises: an event that cannot be sent is a hint lost, not a failure."""
    publish_all([(topic, event)])


def publish_all(events: Iterable[tuple[str, Any]]) -> None:
    """Publish many `(topic, event)` at the price of one journey to Redis."""
    if settings.REDIS_URL:
        broker.send(events)
        return
    hub.publish(events)


async def listen(topic: str, handle: Callable[[Message], Awaitable[None]], *, size: int = QUEUE_SIZE) -> Listener:
    """Have each message of the topic handed to `handle`, one after the other, until the listener is closed."""
    if settings.REDIS_URL:
        await broker.reader.listening()
    return Listener(topic, handle, size)


@asynccontextmanager
async def subscribe(*topics: str, size: int = QUEUE_SIZE) -> AsyncIterator[Subscription]:
    """Listen to topics within the block; `await subscription.get()` gives the next Message."""
    if settings.REDIS_URL:
        await broker.reader.listening()
    subscription = Subscription(Queue(size))
    subscription.add(*topics)
    try:
        yield subscription
    finally:
        subscription.remove(*subscription.topics)
