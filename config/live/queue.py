"""One event, and what waits for one reader: bounded, and honest about what it had to drop."""

import asyncio
import time
from collections import deque
from collections.abc import Callable
from operator import attrgetter
from typing import Any

import msgspec

QUEUE_SIZE = 1000
_decode = msgspec.json.Decoder().decode


def now_ms() -> int:
    return time.time_ns() // 1_000_000


class Message:
    """One event of a topic.

    `number` grows from each event to the next, over all topics and processes; it is close to the Unix time in
    milliseconds. An event that comes as JSON is decoded by the first reader that looks.
    """

    __slots__ = ("_event", "_forms", "is_again", "number", "raw", "topic")

    def __init__(self, topic: str, number: int, event: Any = None, raw: bytes = b"") -> None:
        self.topic, self.number, self.raw = topic, number, raw
        self._event = event
        self._forms: dict[Any, Any] = {}
        self.is_again = False  # told to one reader who comes back

    @property
    def event(self) -> Any:
        if self._event is None and self.raw:
            self._event = _decode(self.raw)
        return self._event

    def again(self) -> "Message":
        """The same event for one reader who comes back, without what others made of it."""
        message = Message(self.topic, self.number, self._event, self.raw)
        message.is_again = True
        return message

    def once(self, make: Callable[["Message"], Any]) -> Any:
        """What `make` makes of this message: made for the first reader, the same for all."""
        if make not in self._forms:
            self._forms[make] = make(self)
        return self._forms[make]


class Queue:
    """A bounded queue of messages for one subscriber, used on its own event loop only."""

    def __init__(self, size: int = QUEUE_SIZE) -> None:
        self._items: deque[Message] = deque(maxlen=size)
        self._again: deque[Message] = deque()
        self._resumed: dict[str, int] = {}
        self._waiter: asyncio.Future[None] | None = None
        self.dropped = 0

    def put(self, message: Message) -> None:
        if len(self._items) == self._items.maxlen:
            self.dropped += 1
        self._items.append(message)
        self._wake()

    def resume(self, messages: list[Message]) -> None:
        """Give these first, in the order of their numbers; what waits or still comes of them is not given twice."""
        self._again = deque(sorted([*self._again, *messages], key=attrgetter("number")))
        self._resumed.update({message.topic: message.number for message in self._again})
        self._wake()

    def _wake(self) -> None:
        if self._waiter is not None and not self._waiter.done():
            self._waiter.set_result(None)

    async def get(self) -> Message:
        """The next message; waits for one."""
        while True:
            if self._again:
                return self._again.popleft()
            if self._items:
                message = self._items.popleft()
                if not self._resumed or message.number > self._resumed.get(message.topic, 0):
                    return message
            else:
                self._waiter = asyncio.get_running_loop().create_future()
                await self._waiter

    def take_dropped(self) -> int:
        """How many events were lost since the last call."""
        dropped, self.dropped = self.dropped, 0
        return dropped
