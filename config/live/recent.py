"""What was published in the last minute, for readers who come back."""

from collections import deque
from typing import Any

import msgspec

from config.live.queue import Message, now_ms

REPLAY_MS = 60_000
REPLAY_EVENTS = 500  # of one topic
REPLAY_BYTES = 32 << 20  # of all topics together
# Topics whose events are told as they are. Of the others a reader needs to know only that something happened, and
# some must not lie around.
WHOLE = frozenset({"alerts", "fleet", "instance", "logs"})
# Topics that nobody comes back to: who speaks to an agent, or waits for its answer, is there now or not at all.
PASSING = frozenset({"agent", "answer"})
_encode = msgspec.json.Encoder().encode


NOTHING = Message("", 0)


class Kept:
    """A kept event, and when it came by this machine's clock; NOTHING once it is given up."""

    __slots__ = ("came_at_ms", "message")

    def __init__(self, message: Message, came_at_ms: int) -> None:
        self.came_at_ms, self.message = came_at_ms, message


class Recent:
    """The last events of each topic, bounded in time, number and bytes; it knows what it no longer has."""

    def __init__(self) -> None:
        self._topics: dict[str, deque[Kept]] = {}
        self._order: deque[Kept] = deque()
        self._bytes = 0
        self._given_up: dict[str, int] = {}  # topic with kept events → number of the last one given up
        self._forgotten = 0  # the last number of any topic that is not in `_topics` any more

    def keep(self, message: Message, now: int | None = None) -> None:
        if message.topic.partition(":")[0] in PASSING:
            return
        now = now or now_ms()
        kept = Kept(_slim(message), now)
        own = self._topics.setdefault(message.topic, deque())
        if len(own) == REPLAY_EVENTS:
            self._give_up(own)
        own.append(kept)
        self._order.append(kept)
        self._bytes += len(kept.message.raw)
        while self._order and (self._order[0].came_at_ms < now - REPLAY_MS or self._bytes > REPLAY_BYTES):
            if (oldest := self._order.popleft().message) is not NOTHING:
                self._give_up(self._topics[oldest.topic])

    def _give_up(self, own: deque[Kept]) -> None:
        kept = own.popleft()
        message, kept.message = kept.message, NOTHING
        self._bytes -= len(message.raw)
        self._given_up[message.topic] = message.number
        if not own:
            del self._topics[message.topic]
            self._forgotten = max(self._forgotten, self._given_up.pop(message.topic))

    def since(self, topic: str, after: int) -> tuple[list[Message], bool]:
        """The topic's events with a number above `after`, and whether none of them is missing."""
        if topic.partition(":")[0] in PASSING:
            return [], False
        newer = [kept.message.again() for kept in self._topics.get(topic, ()) if kept.message.number > after]
        return newer, after >= max(self._forgotten, self._given_up.get(topic, 0))


def _slim(message: Message) -> Message:
    """The event as JSON, or its kind alone. Objects stay with those who made them."""
    if message.topic.partition(":")[0] in WHOLE:
        return Message(message.topic, message.number, raw=message.raw or _encode(message.event))
    event: Any = message.event
    return Message(message.topic, message.number, {"kind": event.get("kind")} if isinstance(event, dict) else event)
