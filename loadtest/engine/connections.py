"""The connections of one loop: everything about them that is not the hot path of pyloop.py.

One connection carries one request at a time. Sockets are edge-triggered: each is registered once, so whoever reads
must read until there is no more, or until the response is whole.
"""

import select
import ssl

from loadtest.engine.capture import MAX_PAYLOAD_BYTES
from loadtest.engine.dialling import LATER, Dialling, clock
from loadtest.engine.histogram import bucket
from loadtest.engine.http1 import END_OF_HEAD, Heads, ProtocolError, Response, Rest, TooLarge, Truncated
from loadtest.engine.plan import Share
from loadtest.engine.redirects import STATUSES, Elsewhere, Redirects
from loadtest.engine.slots import CONNECTING, FREE, HANDSHAKING, IDLE, READING, SENDING
from loadtest.engine.stats import Fault, Page

ENDING = select.EPOLLRDHUP | select.EPOLLHUP | select.EPOLLERR
ENDED = (ssl.SSLZeroReturnError, ssl.SSLEOFError)

FIRST_READ_BYTES, LARGEST_READ_BYTES, BULK_BYTES = 8_192, 65_536, 1 << 18


class Connections(Dialling):
    """Reads responses and counts them. The loops decide when to `issue` and pass on what epoll says."""

    def __init__(self, share: Share, page: Page) -> None:
        super().__init__(share, page)
        spec = share.spec
        self.heads = Heads(bodiless=spec.method == "HEAD")
        self.read_size = self.next_read_size = FIRST_READ_BYTES  # the loops take over the next one between two passes
        self._bulk = memoryview(bytearray(BULK_BYTES))
        self._redirects = Redirects(spec.tls, spec.server_name, spec.addresses[0][1] if spec.addresses else 0)
        # Responses of these statuses are remembered: the hot path neither looks at errors nor follows redirects.
        self._usual = range(200, 300 if spec.max_redirects else 400)

    def handle(self, fd: int, event: int) -> None:
        """Whatever epoll says of a socket, in any state."""
        state = self.state[fd]
        if event & ENDING:
            self.ending[fd] = True
        if state == CONNECTING:
            self.connect_further(fd)
        elif state == HANDSHAKING:
            self.shake_hands(fd)
        elif state == IDLE:
            self._look_at_idle(fd)
        elif state != FREE:
            unsent = self.unsent[fd]
            if unsent is not None and event & select.EPOLLOUT:
                self.transmit(fd, unsent)
            if event & ~select.EPOLLOUT and FREE < self.state[fd] < IDLE:
                self.pull(fd)

    def _look_at_idle(self, fd: int) -> None:
        try:
            self.read(self.handles[fd], 1)
        except LATER:
            return  # the event was meant for the request before
        except OSError:
            self.ending[fd] = True  # reset while idle: as good as closed
        self.idle.remove(fd)
        self.drop(fd)

    def pull(self, fd: int) -> None:
        """Read until the response is whole or nothing more is there."""
        while True:
            reader = self.readers[fd]
            data = None
            asked = self.read_size
            try:
                if reader is not None and reader.bulk and not reader.wants_more:
                    asked = min(reader.bulk, BULK_BYTES)
                    count = self._read_away(fd, asked)
                else:
                    data = self.read(self.handles[fd], asked)
                    count = len(data)
            except LATER:
                return
            except OSError as error:
                self.broken(fd, error)
                return
            now = clock()
            if not count:
                self._ended(fd, now, "the server closed the connection")
                return
            if reader is None:
                self.arrived(fd, data or b"", now)
                return  # which has read on itself, if that was needed
            self.bytes_received += count
            if not self._feed(fd, reader, data, count, now) or self._drained(fd, count, asked):
                return

    def _read_away(self, fd: int, count: int) -> int:
        if self.context is None:
            return self.sockets[fd].recv_into(self._bulk, count)
        return self.read(self.handles[fd], count, self._bulk)

    def _drained(self, fd: int, count: int, asked: int) -> bool:
        """Whether less came than there was room for: then no more is there, and the next bytes bring a new event.

        That saves the call, and the exception, that would say so. Not for TLS, which hands out one record at a time,
        nor at the end of a connection, whose event may have been the one that brought these bytes.
        """
        return count < asked and self.context is None and not self.ending[fd]

    def same_kind(self, data: bytes) -> bool:
        """Whether this differs from the last response in its bytes only: whole, kept open, of the same status."""
        try:
            found = self.heads.whole(data)
        except ProtocolError:
            return False  # the general path tells why
        if found != (self.last_status, True) or len(data) >= self.read_size:
            return False
        self.last = data
        return True

    def arrived(self, fd: int, data: bytes, now: int) -> None:
        """The first bytes of a response: mostly all of it."""
        count = len(data)
        if not count:
            self._ended(fd, now, "the server closed the connection")
            return
        asked = self.read_size
        self.bytes_received += count
        self.first[fd] = now
        if data == self.last:
            self.complete(fd, self.last_status, True, now, data)
            return
        if LARGEST_READ_BYTES > count >= asked:
            self.next_read_size = 2 * count  # a full buffer: larger ones save calls
        try:
            found = self.heads.look(data)
        except ProtocolError as error:
            self.fail(fd, Fault.PROTOCOL, str(error))
            return
        if found is not None and not found[2]:
            status, keep_alive, _ = found
            if keep_alive and status in self._usual and count < asked:
                self.last, self.last_status = data, status
            self.complete(fd, status, keep_alive, now, data)
            return
        self.state[fd] = READING if self.unsent[fd] is None else SENDING
        reader = self.readers[fd] = self._reader(found, count)
        more = self._feed(fd, reader, data, count, now) if isinstance(reader, Response) else True
        if more and not self._drained(fd, count, asked):
            self.pull(fd)

    def _reader(self, found: tuple[int, bool, int] | None, count: int) -> Response | Rest:
        """What reads on. `found` is what the first `count` bytes said, if that was simple: then it is simple too."""
        weight = self.captured.take(self.responses + 1)
        if found is not None and not weight:
            status, keep_alive, missing = found
            if status in self._usual and count + missing <= self.spec.max_body_bytes:
                return Rest(status, keep_alive, count, missing)
        reader = Response(self.heads, max_body=self.spec.max_body_bytes)
        if weight:
            reader.keep(MAX_PAYLOAD_BYTES, weight)
        return reader

    def _feed(self, fd: int, reader: Response | Rest, data: bytes | None, count: int, now: int) -> bool:
        """Give the reader what came; True if it needs more."""
        try:
            done = reader.skip(count) if data is None else reader.feed(data)
        except ProtocolError as error:
            self.fail(fd, Fault.TOO_LARGE if isinstance(error, TooLarge) else Fault.PROTOCOL, str(error))
            return False
        if not done:
            return True
        whole = data is not None and self.first[fd] == now
        if whole and reader.keep_alive and reader.status in self._usual and count < self.read_size:
            self.last, self.last_status = data or b"", reader.status
        self.complete(fd, reader.status, reader.keep_alive, now)
        return False

    def _ended(self, fd: int, now: int, why: str) -> None:
        """The peer sends no more. That ends some bodies, and wastes a request on a connection it closed meanwhile."""
        reader = self.readers[fd]
        if reader is not None:
            try:
                reader.end()
            except Truncated as error:
                self.fail(fd, Fault.TRUNCATED, str(error))
            else:
                self.complete(fd, reader.status, False, now)
        elif (self.served[fd] or self.hops[fd]) and self.idempotent:
            self.retried += 1
            self._send_anew(fd, self.payload[fd], now)
        else:
            self.fail(fd, Fault.RESET, f"{why} before it answered")

    def broken(self, fd: int, error: OSError) -> None:
        """Reading failed."""
        if isinstance(error, ssl.SSLError) and not isinstance(error, ENDED):
            self.fail(fd, Fault.TLS, str(error))
        elif isinstance(error, ENDED) or self.readers[fd] is None:
            self._ended(fd, clock(), error.strerror or "the server closed the connection")
        else:
            self.fail(fd, Fault.TRUNCATED, f"{error.strerror} within the response")

    def complete(self, fd: int, status: int, keep_alive: bool, now: int, data: bytes = b"") -> None:
        """A whole response is here, `data` if it came in one piece: record it, then free or close the connection."""
        if self.spec.max_redirects and status in STATUSES and self._follow(fd, status, keep_alive, now, data):
            return
        total_ns = now - self.intended[fd]
        total_us = total_ns // 1000
        self.responses += 1
        self.total_ns += total_ns
        self.ended_ns = now
        self.statuses[status] += 1
        if self.open_loop or not self.served[fd] or self.first[fd] != now:
            self.record_parts(self.timing(fd, now))
        else:
            self.fast[bucket(total_us)] += 1  # in one read on a kept connection: the first byte is all there is
        reader = self.readers[fd]
        if reader is None:
            if self.responses >= self.next_look or total_us >= self.slow_us or status >= 400:
                self.look_at(status, self.timing(fd, now), data, len(data))
        elif self.responses >= self.next_look or total_us >= self.slow_us or status >= 400 or reader.kept_for:
            self.look_at(status, self.timing(fd, now), *reader.sample)
        self.in_flight -= 1
        self.served[fd] += 1
        if self._reusable(fd, keep_alive):
            self.readers[fd] = None
            self.hops[fd] = 0
            self.state[fd] = IDLE
            self.idle.append(fd)
        else:
            self.drop(fd)

    def _reusable(self, fd: int, keep_alive: bool) -> bool:
        return keep_alive and not self.ending[fd] and self.unsent[fd] is None

    def _follow(self, fd: int, status: int, keep_alive: bool, now: int, data: bytes) -> bool:
        """Go where the redirect leads, if that is allowed. The latency still counts from the first request."""
        if self.hops[fd] >= self.spec.max_redirects:
            self.warn(f"More than {self.spec.max_redirects} redirects in a row are not followed.")
            return False
        reader = self.readers[fd]
        head = data.partition(END_OF_HEAD)[0] if reader is None else reader.head
        try:
            request = self._redirects.request(self.payload[fd], status, head)
        except Elsewhere as where:
            self.warn(f"Redirects to {where} are not followed: a run has one target.")
            return False
        if request is None:
            return False
        self.redirected += 1
        self.hops[fd] += 1
        if self._reusable(fd, keep_alive):
            self.readers[fd] = None
            self.payload[fd] = request
            self.transmit(fd, request)
        else:
            self._send_anew(fd, request, now)
        return True

    def _send_anew(self, fd: int, request: bytes, now: int) -> None:
        """Send this over a new connection. It is still the same request, due and begun when it was."""
        intended, started, hops = self.intended[fd], self.started[fd], self.hops[fd]
        self.drop(fd)
        self.connect(request, intended, started, now, hops)

    # Time

    def expire(self, now: int) -> None:
        """Give up requests that are under way for longer than the time-out."""
        limit = now - int(self.spec.timeout_s * 1e9)
        for fd in [fd for fd, state in enumerate(self.state) if FREE < state < IDLE and self.started[fd] <= limit]:
            self.fail(fd, Fault.TIMEOUT, f"no answer within {self.spec.timeout_s:g} s")

    def cancel(self, why: str) -> None:
        """Give up all requests under way. They are counted: what was sent is what was answered or failed."""
        for fd in [fd for fd, state in enumerate(self.state) if FREE < state < IDLE]:
            self.fail(fd, Fault.CANCELLED, why)

    def close(self) -> None:
        """Close everything."""
        for sock in self.sockets:
            if sock is not None:
                sock.close()
        self.poller.close()
