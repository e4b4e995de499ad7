"""What the browsers' sockets share: one subscription, bounded, sent on as fast as the reader reads."""

import asyncio
import logging
import time
from collections.abc import Callable
from contextlib import AsyncExitStack
from typing import Any

import msgspec
from channels.db import database_sync_to_async

from config import live
from config.api.errors import ApiError
from config.sockets import SocketConsumer
from fleet.instances.queries import get_visible

log = logging.getLogger(__name__)
MESSAGES_PER_S = 50
MAX_MESSAGE_BYTES = 64 * 1024
TOO_BIG, INTERNAL_ERROR = 1009, 1011
_encode = msgspec.json.Encoder().encode


class LiveConsumer(SocketConsumer):
    """Forwards live events to one browser; `prepare`, `heard` and `forward` are the subclass's part.

    A reader that is too slow loses the oldest events and is told how many: `{"type": "lag", "dropped": n}`.
    """

    async def connect(self) -> None:
        self.principal = self.scope["principal"]
        self._stack = AsyncExitStack()
        self._tasks: list[asyncio.Task] = []
        self._running: set[str] = set()
        self._second, self._messages = 0.0, 0
        self.subscription = await self._stack.enter_async_context(live.subscribe())
        await self.prepare()  # listening begins before the browser can think that it does
        await self.accept()
        await self.opened()
        self.run(self._pump())

    def run(self, work: Any) -> None:
        """Run beside the socket until it closes."""
        self._tasks.append(asyncio.create_task(self._guarded(work)))

    def run_once(self, work: Callable[[], Any]) -> None:
        """Run beside the socket until it closes, unless it does already."""
        if work.__name__ not in self._running:
            self._running.add(work.__name__)
            self.run(work())

    async def _guarded(self, work: Any) -> None:
        try:
            await work
        except OSError:  # the browser has gone; the server tells us so in a moment
            return
        except Exception:  # noqa: BLE001 - a reader without its feed would wait for ever: it had better reconnect
            log.exception("a live feed has failed")
            await self.close(INTERNAL_ERROR)

    async def disconnect(self, code: int) -> None:
        for task in getattr(self, "_tasks", ()):
            task.cancel()
        await self._stack.aclose()

    async def _pump(self) -> None:
        queue = self.subscription.queue
        while True:
            message = await queue.get()
            if queue.dropped:
                await self.tell({"type": "lag", "dropped": queue.take_dropped()})
            await self.forward(message)

    async def receive(self, text_data: str | None = None, bytes_data: bytes | None = None) -> None:
        raw = text_data.encode() if text_data is not None else bytes_data or b""
        if len(raw) > MAX_MESSAGE_BYTES:
            await self.close(TOO_BIG)
            return
        await self._pace()
        await self.heard(raw)

    async def _pace(self) -> None:
        now = time.monotonic()
        if now - self._second > 1:
            self._second, self._messages = now, 0
        self._messages += 1
        if self._messages > MESSAGES_PER_S:
            await asyncio.sleep(self._second + 1 - now)

    async def tell(self, message: dict[str, Any]) -> None:
        """Send a message as JSON."""
        await self.send(_encode(message).decode())

    async def send_all(self, made: list[dict[str, Any]]) -> None:
        """Send messages that were made for all readers: see `fleet.live.texts`."""
        for one in made:
            await self.base_send(one)

    async def may_see(self, instance_id: str) -> bool:
        """Whether the caller may see that instance."""
        try:
            await database_sync_to_async(get_visible)(instance_id=instance_id, principal=self.principal)
        except ApiError:
            return False
        return True

    async def prepare(self) -> None:
        raise NotImplementedError

    async def opened(self) -> None:
        """What is told first; nothing, unless the subclass has something."""

    async def heard(self, raw: bytes) -> None:
        raise NotImplementedError

    async def forward(self, message: live.Message) -> None:
        raise NotImplementedError
