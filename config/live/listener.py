"""A reader that costs next to nothing while nothing comes: no task, no queue. For the thousands of agents' sockets."""

import asyncio
from collections import deque
from collections.abc import Awaitable, Callable

from config.live.hub import hub
from config.live.queue import Message


class Listener:
    """Hands each message of a topic to `handle`, one after the other; used on one event loop.

    At most `size` messages wait, and the oldest of more are dropped.
    """

    __slots__ = ("_handle", "_size", "_task", "_topic", "_waiting")

    def __init__(self, topic: str, handle: Callable[[Message], Awaitable[None]], size: int) -> None:
        self._topic, self._handle, self._size = topic, handle, size
        self._waiting: deque[Message] | None = None
        self._task: asyncio.Task | None = None
        hub.join(self, {topic})

    def put(self, message: Message) -> None:
        """What the hub calls."""
        if self._waiting is None:
            self._waiting = deque(maxlen=self._size)
            self._task = asyncio.create_task(self._work(self._waiting))
        self._waiting.append(message)

    async def _work(self, waiting: deque[Message]) -> None:
        try:
            while waiting:
                await self._handle(waiting.popleft())
        finally:
            self._waiting = self._task = None

    def close(self) -> None:
        """Hear no more; what waits is not handled."""
        hub.leave(self, {self._topic})
        if self._waiting:
            self._waiting.clear()
        if self._task is not None and self._task is not asyncio.current_task():
            self._task.cancel()
