"""What is known of each connection, in lists indexed by the socket's number: no look-up is cheaper."""

from typing import Any

from loadtest.engine.http1 import Response
from loadtest.engine.tally import Timing

# A request is under way in all states between FREE and IDLE. READING: a part of the response is here. FRESH waits for
# the first response on its connection, WAITING for a later one: the hot path need not care for the parts of connecting.
FREE, CONNECTING, HANDSHAKING, SENDING, FRESH, READING, WAITING, IDLE = range(8)


class Slots:
    """Times are nanoseconds on one monotonic clock. The lists grow and never shrink: the kernel reuses numbers."""

    def __init__(self) -> None:
        self.sockets: list[Any] = []
        self.streams: list[Any] = []  # what TLS reads and writes
        self.state: list[int] = []
        self.intended: list[int] = []  # when the request was due
        self.started: list[int] = []  # when its first wire activity was
        self.connecting: list[int] = []  # when the present step of connecting began
        self.ready: list[int] = []  # when the connection could carry its first request
        self.first: list[int] = []  # when the first byte of the response was read
        self.connect_us: list[int] = []
        self.tls_us: list[int] = []
        self.served: list[int] = []  # responses on this connection so far
        self.ending: list[bool] = []  # the peer sends no more
        self.readers: list[Response | None] = []
        self.payload: list[bytes] = []
        self.unsent: list[memoryview | None] = []
        self.idle: list[int] = []  # a stack: the connection used last is the warmest

    def grow(self, fd: int) -> None:
        """Make room for this number."""
        missing = max(fd + 1, 2 * len(self.sockets), 64) - len(self.sockets)
        for numbers in (self.intended, self.started, self.connecting, self.ready, self.first, self.served):
            numbers.extend([0] * missing)
        for numbers in (self.state, self.connect_us, self.tls_us):
            numbers.extend([0] * missing)
        self.sockets.extend([None] * missing)
        self.streams.extend([None] * missing)
        self.readers.extend([None] * missing)
        self.unsent.extend([None] * missing)
        self.payload.extend([b""] * missing)
        self.ending.extend([False] * missing)

    def timing(self, fd: int, now: int) -> Timing:
        """The parts of the request whose response ends now."""
        fresh = not self.served[fd]
        return Timing(
            self.intended[fd],
            self.started[fd],
            self.ready[fd] if fresh else self.started[fd],
            self.first[fd],
            now,
            self.connect_us[fd] if fresh else None,
            (self.tls_us[fd] or None) if fresh else None,
        )
