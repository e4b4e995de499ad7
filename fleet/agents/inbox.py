"""Samples of all connections, read one after the other.

With thousands of agents each frame comes alone, and what it costs to read is mostly the way there: hundreds of frames
in a row cost a quarter of as many by themselves. So a sample that nobody waits for, as in the agent dialect, stays
here for a moment.
"""

import asyncio
import logging
from datetime import datetime
from typing import Protocol
from weakref import WeakKeyDictionary

from django.utils import timezone

from config.api.errors import ApiError
from fleet.agents.frames import Frame
from fleet.metrics import services as metrics

log = logging.getLogger(__name__)
WAIT_S = 0.25
MOST_FRAMES, MOST_BYTES = 500, 4 << 20


class Connection(Protocol):
    """Who received a frame. `beat_in` raises ApiError, and `refuse` tells the agent so."""

    def beat_in(self, frame: Frame, *, now: datetime) -> metrics.Beat: ...
    def refuse(self, frame: Frame, error: ApiError) -> None: ...


class Inbox:
    """The frames of one event loop that wait to be read, bounded in number and bytes."""

    def __init__(self) -> None:
        self._frames: list[tuple[Connection, Frame]] = []
        self._bytes = 0
        self._timer: asyncio.TimerHandle | None = None

    def put(self, connection: Connection, frame: Frame) -> None:
        """Keep the frame until the next reading, at most `WAIT_S`."""
        self._frames.append((connection, frame))
        self._bytes += len(memoryview(frame.body))
        if len(self._frames) >= MOST_FRAMES or self._bytes >= MOST_BYTES:
            self.read()
        elif self._timer is None:
            self._timer = asyncio.get_running_loop().call_later(WAIT_S, self.read)

    def read(self) -> None:
        """Hand the samples to the writer. What is wrong with one goes back to its agent alone."""
        if self._timer:
            self._timer.cancel()
        waiting, self._frames, self._bytes, self._timer = self._frames, [], 0, None
        beats, senders, now = [], [], timezone.now()
        for connection, frame in waiting:
            try:
                beats.append(connection.beat_in(frame, now=now))
                senders.append((connection, frame))
            except ApiError as error:
                connection.refuse(frame, error)
            except Exception:  # noqa: BLE001 - one frame's fault must not cost the others
                log.exception("a sample could not be handled")
                connection.refuse(frame, ApiError("The frame could not be handled"))
        try:
            metrics.queue(beats)
        except ApiError as error:
            for connection, frame in senders:
                connection.refuse(frame, error)


_inboxes: WeakKeyDictionary[asyncio.AbstractEventLoop, Inbox] = WeakKeyDictionary()


def inbox() -> Inbox:
    """That of the running event loop."""
    loop = asyncio.get_running_loop()
    return _inboxes.get(loop) or _inboxes.setdefault(loop, Inbox())
