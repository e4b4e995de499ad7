"""The same events in every process, over Redis. Only used when `REDIS_URL` is set."""

import asyncio
import logging
import threading
import time
from collections.abc import Callable, Iterable
from functools import cache
from typing import Any
from urllib.parse import urlsplit

import msgspec
import redis
from django.conf import settings

from config.live.hub import hub
from config.live.queue import Message

log = logging.getLogger(__name__)
# Redis publishes across its databases; the number in the URL keeps two installations on one server apart.
CHANNEL = f"live:{urlsplit(settings.REDIS_URL or '').path.strip('/')}"
_encode = msgspec.json.Encoder().encode
_decode = msgspec.json.Decoder(tuple[int, list[tuple[str, msgspec.Raw]]]).decode
NUMBER = f"pharos:{CHANNEL}:number"
# Redis numbers the events, so that they have one order in every process; the numbers follow its clock in milliseconds.
# Events that are published together are one message, with the number before the first: what a message costs each
# process to receive is many times what an event in it costs.
PUBLISH = """
local time = redis.call('TIME')
local before = math.max(tonumber(redis.call('GET', KEYS[1]) or '0'), time[1] * 1000 + math.floor(time[2] / 1000) - 1)
redis.call('PUBLISH', ARGV[1], '[' .. string.format('%.0f', before) .. ',' .. ARGV[2] .. ']')
redis.call('SET', KEYS[1], string.format('%.0f', before + tonumber(ARGV[3])))
"""
PAUSE_S = 1.0
_away_until = 0.0
MOST_AT_ONCE = 500  # events in a message, which all processes hold for a moment


def send(events: Iterable[tuple[str, Any]]) -> None:
    """Publish many `(topic, event)` in one journey. Never raises, and waits for a Redis that is away once a second."""
    global _away_until
    if time.monotonic() < _away_until:
        return
    try:
        waiting = list(events)
        for start in range(0, len(waiting), MOST_AT_ONCE):
            together = waiting[start : start + MOST_AT_ONCE]
            _publish()(keys=[NUMBER], args=[CHANNEL, _encode(together), len(together)])
    except Exception:  # noqa: BLE001 - whatever the client raises, the row has been written and readers catch up
        _away_until = time.monotonic() + PAUSE_S
        log.warning("live events could not be published", exc_info=True)


@cache
def _client() -> redis.Redis:
    return _connect(socket_timeout=2)


@cache
def _publish() -> Callable[..., object]:
    return _client().register_script(PUBLISH)


def _connect(**options: int) -> redis.Redis:
    return redis.Redis.from_url(str(settings.REDIS_URL), socket_connect_timeout=2, **options)


def _number_now() -> int:
    """A number that no later event can have."""
    client = _client()
    seconds, microseconds = client.time()
    return max(int(client.get(NUMBER) or 0), seconds * 1000 + microseconds // 1000 - 1)


class Reader:
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
        while True:
            try:
                with _connect(health_check_interval=15).pubsub(ignore_subscribe_messages=True) as channel:
                    channel.subscribe(CHANNEL)
                    channel.get_message(timeout=2)  # the server's confirmation, which comes as nothing
                    hub.heard_all_since = _number_now()
                    self._heard.set()
                    while True:
                        if message := channel.get_message(timeout=10):
                            before, events = _decode(message["data"])
                            for number, (topic, event) in enumerate(events, before + 1):
                                hub.deliver(Message(topic, number, raw=bytes(event)))
            except (redis.RedisError, OSError, ValueError) as error:
                self._heard.clear()
                log.warning("live events are interrupted: %s", error)
                time.sleep(1)


reader = Reader()
