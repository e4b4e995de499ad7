"""The same events in every process, over Redis. Only used when `REDIS_URL` is set."""

import asyncio
import logging
import threading
import time
from collections.abc import Iterable
from functools import cache
from typing import Any
from urllib.parse import urlsplit

import msgspec
import redis
from django.conf import settings

from config.live.hub import hub
from config.live.queue import Message, now_ms

log = logging.getLogger(__name__)
# Redis publishes across its databases; the number in the URL keeps two installations on one server apart.
PREFIX = f"live:{urlsplit(settings.REDIS_URL or '').path.strip('/')}:"
_encode = msgspec.json.Encoder().encode
_decode = msgspec.json.Decoder(tuple[int, Any]).decode


def send(events: Iterable[tuple[str, Any]]) -> None:
    """Publish many `(topic, event)` in one journey. Never raises."""
    try:
        pipeline = _client().pipeline(transaction=False)
        for topic, event in events:
            pipeline.publish(PREFIX + topic, _encode((now_ms(), event)))
        pipeline.execute()
    except Exception:  # noqa: BLE001 - whatever the client raises, the row has been written and readers catch up
        log.warning("live event could not be published", exc_info=True)


@cache
def _client() -> redis.Redis:
    return _connect(socket_timeout=2)


def _connect(**options: int) -> redis.Redis:
    return redis.Redis.from_url(str(settings.REDIS_URL), socket_connect_timeout=2, **options)


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
                    self._heard.set()
                    hub.heard_all_since = now_ms()
                    while True:
                        if message := channel.get_message(timeout=10):
                            topic = message["channel"].decode().removeprefix(PREFIX)
                            hub.deliver(Message(topic, *_decode(message["data"])))
            except (redis.RedisError, OSError, ValueError) as error:
                self._heard.clear()
                log.warning("live events are interrupted: %s", error)
                time.sleep(1)


reader = Reader()
