"""Live events: `publish` from any thread or process, `subscribe` from async code.

Events are hints; rows are the truth. Publish after commit. Without Redis the events stay in this process; with
`REDIS_URL` every process hears every event. A full queue drops its oldest event and counts it, so that a slow reader
costs neither memory nor the others' time. The last 60 s of each topic are kept for `Hub.replay`.
"""

import asyncio
import logging
import threading
import time
from collections import deque
from collections.abc import AsyncIterator, Iterable
from contextlib import asynccontextmanager
from typing import Any, NamedTuple
from urllib.parse import urlsplit

import msgspec
from django.conf import settings

log = logging.getLogger(__name__)
QUEUE_SIZE = 1000
REPLAY_MS = 60_000
REPLAY_EVENTS = 500
SKEW_MS = 2_000
# Redis publishes across its databases; the number in the URL keeps two installations on one server apart.
_PREFIX = f"live:{urlsplit(settings.REDIS_URL or '').path.strip('/')}:"
_encode = msgspec.json.Encoder().encode
_decode = msgspec.json.Decoder(tuple[int, Any]).decode


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

    async def get(self) -> Message:
        return await self.queue.get()


hub = Hub()


def publish(topic: str, event: Any) -> None:
    """Tell every reader of `topic`. Never raises: an event that cannot be sent is a hint lost, not a failure."""
    publish_all([(topic, event)])


def publish_all(events: Iterable[tuple[str, Any]]) -> None:
    """Publish many `(topic, event)` at the price of one journey to Redis."""
    if not settings.REDIS_URL:
        for topic, event in events:
            hub.deliver(Message(topic, now_ms(), event))
        return
    try:
        pipeline = _redis().pipeline(transaction=False)
        for topic, event in events:
            pipeline.publish(_PREFIX + topic, _encode((now_ms(), event)))
        pipeline.execute()
    except Exception:  # noqa: BLE001 - whatever the client raises, the row has been written and readers catch up
        log.warning("live event could not be published", exc_info=True)


@asynccontextmanager
async def subscribe(*topics: str, size: int = QUEUE_SIZE) -> AsyncIterator[Subscription]:
    """Listen to topics within the block; `await subscription.get()` gives the next Message."""
    if settings.REDIS_URL:
        await _reader.listening()
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

        _client = redis.Redis.from_url(str(settings.REDIS_URL), socket_timeout=2, socket_connect_timeout=2)
    return _client


class RedisReader:
    """One thread a process that hears all events from Redis; it reconnects after a pause."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._thread: threading.Thread | None = None
        self._heard = threading.Event()

    async def listening(self) -> None:
        """Start the thread if need be, and give it a moment to hear: events published from now on arrive."""
        with self._lock:
            if self._thread is None or not self._thread.is_alive():
                self._thread = threading.Thread(target=self._run, name="live-reader", daemon=True)
                self._thread.start()
        if not self._heard.is_set():
            await asyncio.to_thread(self._heard.wait, 2)

    def _run(self) -> None:
        import redis

        while True:
            try:
                client = redis.Redis.from_url(
                    str(settings.REDIS_URL), socket_connect_timeout=2, health_check_interval=15
                )
                with client.pubsub(ignore_subscribe_messages=True) as channel:
                    channel.psubscribe(_PREFIX + "*")
                    channel.get_message(timeout=2)  # the server's confirmation, which comes as nothing
                    self._heard.set()
                    hub.heard_all_since = now_ms()
                    while True:
                        if message := channel.get_message(timeout=10):
                            topic = message["channel"].decode().removeprefix(_PREFIX)
                            hub.deliver(Message(topic, *_decode(message["data"])))
            except (redis.RedisError, OSError, ValueError) as error:
                self._heard.clear()
                log.warning("live events are interrupted: %s", error)
                time.sleep(1)


_reader = RedisReader()
