"""What is known of each connection, in lists indexed by the socket's number: no look-up is cheaper."""

from typing import Any

from loadtest.engine.http1 import Response, Rest
from loadtest.engine.tally import Timing

# A request is under way in all states between FREE and IDLE. READING: a part of the response is here. FRESH waits for
# the first response on its connection, WAITING for a later one: the hot path need not care for the parts of connecting.
FREE, CONNECTING, HANDSHAKING, SENDING, FRESH, READING, WAITING, IDLE = range(8)


class Slots:
    """Times are nanoseconds on one monotonic clock. The lists grow and never shrink: the kernel reuses numbers."""

    def __init__(self) -> None:
        self.sockets: list[Any] = []
        self.handles: list[Any] = []  # what is read and written: the number itself, or the TLS object
        self.state: list[int] = []
        self.intended: list[int] = []  # when the request was due
        self.started: list[int] = []  # when its first wire activity was
        self.connecting: list[int] = []  # when the present step of connecting began
        self.ready: list[int] = []  # when the connection could carry its first request
        self.first: list[int] = []  # when the first byte of the response was read
        self.connect_us: list[int] = []
        self.tls_us: list[int] = []
        self.served: list[int] = []  # responses on this connection so far
        self.hops: list[int] = []  # redirects that led to the request under way
        self.ending: list[bool] = []  # the peer sends no more
        self.readers: list[Response | Rest | None] = []
        self.payload: list[bytes] = []
        self.unsent: list[memoryview | None] = []
        self.idle: list[int] = []  # a stack: the connection used last is the warmest

    def grow(self, fd: int) -> None:
        """Make room for this number."""
        missing = max(fd + 1, 2 * len(self.sockets), 64) - len(self.sockets)
        for numbers in (self.intended, self.started, self.connecting, self.ready, self.first, self.served):
            numbers.extend([0] * missing)
        for numbers in (self.state, self.connect_us, self.tls_us, self.hops):
            numbers.extend([0] * missing)
        self.sockets.extend([None] * missing)
        self.handles.extend([None] * missing)
        self.readers.extend([None] * missing)
        self.unsent.extend([None] * missing)
        self.payload.extend([b""] * missing)
        self.ending.extend([False] * missing)

    def reached(self, fd: int, now: int) -> dict[str, int]:
        """The parts of a request that ends now without a response, in µs, as far as it came."""
        state, fresh = self.state[fd], not self.served[fd] and not self.hops[fd]
        connect, tls = (self.connect_us[fd], self.tls_us[fd]) if fresh else (0, 0)
        begun, first = self.ready[fd] if fresh else self.started[fd], now
        if state == CONNECTING:
            connect, begun = (now - self.connecting[fd]) // 1000, now
        elif state == HANDSHAKING:
            tls, begun = (now - self.connecting[fd]) // 1000, now
        elif self.readers[fd] is not None:
            first = self.first[fd]
        timing = Timing(self.intended[fd], self.started[fd], begun, first, now, connect, tls)
        return timing.parts()

    def timing(self, fd: int, now: int) -> Timing:
        """The parts of the request whose response ends now. All that redirects took is in the first byte."""
        fresh = not self.served[fd] and not self.hops[fd]
        return Timing(
            self.intended[fd],
            self.started[fd],
            self.ready[fd] if fresh else self.started[fd],
            self.first[fd],
            now,
            self.connect_us[fd] if fresh else None,
            (self.tls_us[fd] or None) if fresh else None,
        )
