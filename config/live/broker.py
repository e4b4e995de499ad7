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
PREFIX = f"live:{urlsplit(settings.REDIS_URL or '').path.strip('/')}:"
_encode = msgspec.json.Encoder().encode
_decode = msgspec.json.Decoder(tuple[int, msgspec.Raw]).decode
NUMBER = f"pharos:{PREFIX}number"
# Redis numbers the events, so that they have one order in every process; the numbers follow its clock in milliseconds.
PUBLISH = """
local time = redis.call('TIME')
local number = math.max(tonumber(redis.call('GET', KEYS[1]) or '0'), time[1] * 1000 + math.floor(time[2] / 1000) - 1)
for at = 1, #ARGV, 2 do
  number = number + 1
  redis.call('PUBLISH', ARGV[at], '[' .. string.format('%.0f', number) .. ',' .. ARGV[at + 1] .. ']')
end
redis.call('SET', KEYS[1], string.format('%.0f', number))
"""
PAUSE_S = 1.0
_away_until = 0.0
MOST_AT_ONCE = 500  # Redis does nothing else while a script runs


def send(events: Iterable[tuple[str, Any]]) -> None:
    """Publish many `(topic, event)` in one journey. Never raises, and waits for a Redis that is away once a second."""
    global _away_until
    if time.monotonic() < _away_until:
        return
    try:
        waiting: list[str | bytes] = []
        for topic, event in events:
            waiting += (PREFIX + topic, _encode(event))
        for start in range(0, len(waiting), 2 * MOST_AT_ONCE):
            _publish()(keys=[NUMBER], args=waiting[start : start + 2 * MOST_AT_ONCE])
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
                    channel.psubscribe(PREFIX + "*")
                    channel.get_message(timeout=2)  # the server's confirmation, which comes as nothing
                    hub.heard_all_since = _number_now()
                    self._heard.set()
                    while True:
                        if message := channel.get_message(timeout=10):
                            topic = message["channel"].decode().removeprefix(PREFIX)
                            number, event = _decode(message["data"])
                            hub.deliver(Message(topic, number, raw=bytes(event)))
            except (redis.RedisError, OSError, ValueError) as error:
                self._heard.clear()
                log.warning("live events are interrupted: %s", error)
                time.sleep(1)


reader = Reader()
