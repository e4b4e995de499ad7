"""Live events: `publish` from any thread or process, `subscribe` from async code.

Events are hints; rows are the truth. Publish after commit. Without Redis the events stay in this process; with
`REDIS_URL` every process hears every event. A full queue drops its oldest event and counts it, so that a slow reader
costs neither memory nor the others' time. The last 60 s of each topic are kept for `replay`.
"""

import asyncio
import logging
import threading
import time
from collections import defaultdict, deque
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from itertools import count
from typing import Any
from urllib.parse import urlsplit

import msgspec
from django.conf import settings

log = logging.getLogger(__name__)
QUEUE_SIZE = 1000
REPLAY_S = 60
REPLAY_EVENTS = 500
# Redis publishes across its databases; the number in the URL keeps two installations on one server apart.
_PREFIX = f"live:{urlsplit(settings.REDIS_URL or '').path.strip('/')}:"
_encode = msgspec.json.Encoder().encode
_decode = msgspec.json.Decoder().decode


class Queue:
    """A bounded queue of `(topic, event)` for one subscriber, used on its own event loop only."""

    def __init__(self, size: int = QUEUE_SIZE) -> None:
        self._items: deque[tuple[str, Any]] = deque(maxlen=size)
        self._ready = asyncio.Event()
        self.dropped = 0

    def put(self, topic: str, event: Any) -> None:
        if len(self._items) == self._items.maxlen:
            self.dropped += 1
        self._items.append((topic, event))
        self._ready.set()

    async def get(self) -> tuple[str, Any]:
        """The next `(topic, event)`; waits for one."""
        while not self._items:
            self._ready.clear()
            await self._ready.wait()
        return self._items.popleft()

    def take_dropped(self) -> int:
        """How many events were lost since the last call."""
        dropped, self.dropped = self.dropped, 0
        return dropped


class Hub:
    """Subscribers of this process by event loop and topic, and what was published lately."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._loops: dict[asyncio.AbstractEventLoop, dict[str, set[Queue]]] = {}
        self._recent: dict[str, deque[tuple[int, float, Any]]] = defaultdict(lambda: deque(maxlen=REPLAY_EVENTS))
        self._numbers = count(int(time.time() * 1000))

    def deliver(self, topic: str, event: Any) -> None:
        """Hand the event to every subscriber in this process, whatever loop it runs on."""
        with self._lock:
            now = time.monotonic()
            recent = self._recent[topic]
            recent.append((next(self._numbers), now, event))
            while recent and recent[0][1] < now - REPLAY_S:
                recent.popleft()
            if len(self._recent) > 10_000:
                self._forget(now)
            loops = list(self._loops.items())
        for loop, topics in loops:
            if topic in topics:
                try:
                    loop.call_soon_threadsafe(self._fan_out, topics, topic, event)
                except RuntimeError:  # the loop has closed; its subscribers went with it
                    with self._lock:
                        self._loops.pop(loop, None)

    @staticmethod
    def _fan_out(topics: dict[str, set[Queue]], topic: str, event: Any) -> None:
        for queue in topics.get(topic, ()):
            queue.put(topic, event)

    def _forget(self, now: float) -> None:
        for topic in [name for name, recent in self._recent.items() if recent[-1][1] < now - REPLAY_S]:
            del self._recent[topic]

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

    def replay(self, topic: str, after: int) -> tuple[list[tuple[int, Any]], bool]:
        """Events of the topic numbered above `after`, and whether that is all that happened since."""
        with self._lock:
            recent = list(self._recent.get(topic, ()))
        whole = bool(recent) and recent[0][0] <= after + 1
        return [(number, event) for number, _, event in recent if number > after], whole


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

    async def get(self) -> tuple[str, Any]:
        return await self.queue.get()


hub = Hub()


def publish(topic: str, event: Any) -> None:
    """Tell every reader of `topic`. Never raises: an event that cannot be sent is a hint lost, not a failure."""
    if not settings.REDIS_URL:
        hub.deliver(topic, event)
        return
    try:
        _redis().publish(_PREFIX + topic, _encode(event))
    except Exception:  # noqa: BLE001 - whatever the client raises, the row has been written and readers catch up
        log.warning("live event could not be published", exc_info=True)


@asynccontextmanager
async def subscribe(*topics: str, size: int = QUEUE_SIZE) -> AsyncIterator[Subscription]:
    """Listen to topics within the block; `await subscription.get()` gives `(topic, event)`."""
    if settings.REDIS_URL:
        _reader.ensure()
    subscription = Subscription(Queue(size))
    subscription.add(*topics)
    try:
        yield subscription
    finally:
        subscription.remove(*subscription.topics)


_client: Any = None


def _redis() -> Any:
    global _client
    if _client is None:
        import redis

        _client = redis.Redis.from_url(settings.REDIS_URL, socket_timeout=2, socket_connect_timeout=2)
    return _client


class RedisReader:
    """One thread a process that hears all events from Redis; it reconnects after a pause."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._thread: threading.Thread | None = None

    def ensure(self) -> None:
        with self._lock:
            if self._thread is None or not self._thread.is_alive():
                self._thread = threading.Thread(target=self._run, name="live-reader", daemon=True)
                self._thread.start()

    def _run(self) -> None:
        import redis

        while True:
            try:
                client = redis.Redis.from_url(settings.REDIS_URL, socket_connect_timeout=2, health_check_interval=15)
                with client.pubsub(ignore_subscribe_messages=True) as channel:
                    channel.psubscribe(_PREFIX + "*")
                    while True:
                        if message := channel.get_message(timeout=10):
                            topic = message["channel"].decode().removeprefix(_PREFIX)
                            hub.deliver(topic, _decode(message["data"]))
            except (redis.RedisError, OSError, ValueError) as error:
                log.warning("live events are interrupted: %s", error)
                time.sleep(1)


_reader = RedisReader()
