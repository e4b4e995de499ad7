"""Live events as what goes out: made once a process, however many read them.

A sequence number stands in the last text of each event, so that a reader that has it has the whole event.
"""

import time
from collections.abc import Callable, Iterable
from typing import Any, NamedTuple

import msgspec

from config import live
from config.sockets import framed
from fleet.live import messages

HEARTBEAT_PAUSE_S = 5.0
MOST_PACED = 50_000
Sent = dict[str, Any]  # an ASGI message
_encode = msgspec.json.Encoder().encode


class Beat(NamedTuple):
    """One instance's heartbeat, with what says who may see it."""

    event: messages.Message
    text: str


def plain(told: messages.Message) -> str:
    return _encode(told).decode()


def numbered(texts: list[str], number: int) -> list[str]:
    """The texts with the number in the last one."""
    if texts:
        texts[-1] = f'{texts[-1][:-1]},"seq":{number}}}'
    return texts


def _made(message: live.Message, told: Iterable[messages.Message]) -> list[Sent]:
    return [framed(text) for text in numbered([plain(one) for one in told], message.number)]


def lines(message: live.Message) -> list[Sent]:
    """Stored log lines, for those who follow them."""
    return _made(message, [messages.lines(message.topic.removeprefix("logs:"), message.event["entries"])])


def for_subscriber(message: live.Message) -> list[Sent]:
    return _made(message, messages.for_subscriber(message.event))


def status(message: live.Message) -> list[Sent]:
    return _made(message, [messages.instance_update(message.event)])


def alert(message: live.Message) -> list[Sent]:
    event = message.event
    return _made(message, [{"type": "alert", "payload": event["payload"]}] if "payload" in event else [])


def snapshot(message: live.Message) -> list[Sent]:
    event = message.event
    return _made(message, [messages.snapshot(event)] if event["kind"] == "heartbeat" and event["measured"] else [])


def beats(message: live.Message) -> list[Beat]:
    """Every heartbeat of a commit, for a reader who comes back."""
    return [Beat(one, plain(messages.heartbeat(one))) for one in message.event["beats"]]


class Pace:
    """At most one heartbeat of an instance in 5 s, for all readers of this process alike."""

    def __init__(self, now: Callable[[], float] = time.monotonic) -> None:
        self._now, self._told_at = now, dict[str, float]()

    def due(self, message: live.Message) -> list[Beat]:
        """The heartbeats of a commit whose turn it is."""
        now, told_at = self._now(), self._told_at
        if len(told_at) > MOST_PACED:
            self._told_at = told_at = {one: at for one, at in told_at.items() if now - at < HEARTBEAT_PAUSE_S}
        due = [one for one in message.event["beats"] if now - told_at.get(one["instanceId"], -now) >= HEARTBEAT_PAUSE_S]
        told_at.update({one["instanceId"]: now for one in due})
        return [Beat(one, plain(messages.heartbeat(one))) for one in due]


pace = Pace()
