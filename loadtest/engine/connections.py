"""The connections of one loop: everything about them that is not the hot path of pyloop.py.

One connection carries one request at a time. Sockets are edge-triggered: each is registered once, so whoever reads
must read until there is no more, or until the response is whole.
"""

import errno
import os
import select
import socket
import ssl
import time
from itertools import cycle
from typing import Any

from loadtest.engine.capture import MAX_PAYLOAD_BYTES
from loadtest.engine.http1 import Heads, ProtocolError, Response, TooLarge, Truncated
from loadtest.engine.plan import Share
from loadtest.engine.requests import IDEMPOTENT, tls_context
from loadtest.engine.slots import CONNECTING, FREE, FRESH, HANDSHAKING, IDLE, READING, SENDING, WAITING, Slots
from loadtest.engine.stats import Fault, Page, bucket
from loadtest.engine.tally import Tally

WATCHED = select.EPOLLIN | select.EPOLLRDHUP | select.EPOLLET
ENDING = select.EPOLLRDHUP | select.EPOLLHUP | select.EPOLLERR
LATER = (BlockingIOError, ssl.SSLWantReadError, ssl.SSLWantWriteError)
ENDED = (ssl.SSLZeroReturnError, ssl.SSLEOFError)
OWN_LIMITS = {errno.EMFILE, errno.ENFILE, errno.EADDRNOTAVAIL, errno.ENOBUFS, errno.ENOMEM}

FIRST_READ_BYTES, LARGEST_READ_BYTES, BULK_BYTES = 8_192, 65_536, 1 << 18
READERS_KEPT = 32  # responses in several pieces whose pieces are kept at one time

clock = time.perf_counter_ns


class Connections(Slots, Tally):
    """Sends requests, reads responses, counts both. The loops decide when to `issue` and pass on what epoll says."""

    def __init__(self, share: Share, page: Page) -> None:
        spec = share.spec
        self.poller = select.epoll()  # before all sockets: select() takes descriptors below 1,024 only
        Slots.__init__(self)
        Tally.__init__(self, spec, page)
        self.variants = len(set(share.requests)) > 1
        self.next_request = cycle(share.requests).__next__
        self.idempotent = spec.method in IDEMPOTENT
        self.heads = Heads(bodiless=spec.method == "HEAD")
        self.context = tls_context(verify=spec.verify, ca_file=spec.ca_file) if spec.tls else None
        self.read: Any = os.read if self.context is None else self._read_tls
        self.write: Any = os.write if self.context is None else self._write_tls
        self.read_size = FIRST_READ_BYTES
        self._bulk = memoryview(bytearray(BULK_BYTES))
        self._address = 0  # the one that answered last
        self._kept_readers = 0

    # Sending

    def issue(self, intended: int, now: int) -> None:
        """Hand one request to a connection: one that is open and idle, else a new one."""
        self.sent += 1
        self.in_flight += 1
        if self.in_flight > self.peak:
            self.peak = self.in_flight
        request = self.next_request()
        if not self.idle:
            self._connect(request, intended, now, now)
            return
        fd = self.idle.pop()
        self.intended[fd] = intended
        self.started[fd] = now
        self.payload[fd] = request
        self.transmit(fd, request)

    def transmit(self, fd: int, data: bytes | memoryview) -> None:
        """Send the (rest of the) request; what the kernel does not take waits for EPOLLOUT."""
        waited = self.state[fd] == SENDING
        if self.readers[fd] is not None:
            self.state[fd] = READING
        else:
            self.state[fd] = WAITING if self.served[fd] else FRESH
        try:
            count = self.write(fd, data)
        except LATER:
            count = 0
        except OSError:
            # The peer may have answered and closed before it read all: look at what it said.
            self.unsent[fd] = memoryview(data)
            self.pull(fd)
            return
        self.bytes_sent += count
        if count < len(data):
            self.unsent[fd] = memoryview(data)[count:]
            self.state[fd] = SENDING
            if not waited:
                self.poller.modify(fd, WATCHED | select.EPOLLOUT)
        else:
            self.unsent[fd] = None
            if waited:
                self.poller.modify(fd, WATCHED)

    def _connect(self, request: bytes, intended: int, started: int, now: int) -> None:
        host, port = self.spec.addresses[self._address]
        try:
            sock = socket.socket(socket.AF_INET6 if ":" in host else socket.AF_INET, socket.SOCK_STREAM)
        except OSError as error:
            self.count_fault(Fault.LOCAL, str(error), now - intended)
            return
        sock.setblocking(False)
        sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        fd = sock.fileno()
        if fd >= len(self.sockets):
            self.grow(fd)
        self.sockets[fd], self.state[fd], self.payload[fd] = sock, CONNECTING, request
        self.intended[fd], self.started[fd], self.connecting[fd] = intended, started, now
        self.connect_us[fd] = self.tls_us[fd] = self.served[fd] = 0
        self.ending[fd] = False
        self.open += 1
        failure = sock.connect_ex((host, port))
        if failure not in (0, errno.EINPROGRESS):
            self._refused(fd, failure)
        else:
            self.poller.register(fd, WATCHED | select.EPOLLOUT)

    def _refused(self, fd: int, failure: int) -> None:
        self._address = (self._address + 1) % len(self.spec.addresses)
        self.fail(fd, Fault.LOCAL if failure in OWN_LIMITS else Fault.CONNECT, os.strerror(failure))

    def _connect_further(self, fd: int) -> None:
        sock = self.sockets[fd]
        failure = sock.getsockopt(socket.SOL_SOCKET, socket.SO_ERROR)
        if failure:
            self._refused(fd, failure)
            return
        try:
            sock.getpeername()
        except OSError:
            return  # the event was meant for a connection that had this number before
        now = clock()
        self.connect_us[fd] = (now - self.connecting[fd]) // 1000
        self.connecting[fd] = now
        self.connected += 1
        if self.context is None:
            self._send_first(fd, now)
            return
        try:
            self.sockets[fd] = self.context.wrap_socket(
                sock, server_hostname=self.spec.server_name, do_handshake_on_connect=False
            )
        except OSError as error:
            self.fail(fd, Fault.TLS, str(error))
            return
        self.state[fd] = HANDSHAKING
        self._shake_hands(fd)

    def _shake_hands(self, fd: int) -> None:
        try:
            self.sockets[fd].do_handshake()
        except LATER:
            return
        except OSError as error:
            self.fail(fd, Fault.TLS, str(error))
            return
        self.streams[fd] = getattr(self.sockets[fd], "_sslobj", None) or self.sockets[fd]
        now = clock()
        self.tls_us[fd] = (now - self.connecting[fd]) // 1000
        self._send_first(fd, now)

    def _send_first(self, fd: int, now: int) -> None:
        self.poller.modify(fd, WATCHED)
        self.ready[fd] = now
        self.transmit(fd, self.payload[fd])

    # Receiving

    def handle(self, fd: int, event: int) -> None:
        """Whatever epoll says of a socket, in any state."""
        state = self.state[fd]
        if event & ENDING:
            self.ending[fd] = True
        if state == CONNECTING:
            self._connect_further(fd)
        elif state == HANDSHAKING:
            self._shake_hands(fd)
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
            self.read(fd, 1)
        except LATER:
            return  # the event was meant for the request before
        except OSError:
            self.ending[fd] = True  # reset while idle: as good as closed
        self.idle.remove(fd)
        self._close(fd)

    def pull(self, fd: int) -> None:
        """Read until the response is whole or nothing more is there."""
        while True:
            reader = self.readers[fd]
            data = None
            try:
                if reader is not None and reader.bulk and not reader.wants_more:
                    count = self._read_away(fd, reader.bulk)
                else:
                    data = self.read(fd, self.read_size)
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
            if not self._feed(fd, reader, data, count, now):
                return

    def _read_away(self, fd: int, bulk: int) -> int:
        if self.context is None:
            return self.sockets[fd].recv_into(self._bulk, min(bulk, BULK_BYTES))
        return self.sockets[fd].read(min(bulk, BULK_BYTES), self._bulk)

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
        self.bytes_received += count
        self.first[fd] = now
        if data == self.last:
            self.complete(fd, self.last_status, True, now, data)
            return
        if count >= self.read_size and count < LARGEST_READ_BYTES:
            self.read_size *= 2  # a full buffer: larger ones save calls from now on
        try:
            found = self.heads.whole(data)
        except ProtocolError as error:
            self.fail(fd, Fault.PROTOCOL, str(error))
            return
        if found is not None:
            status, keep_alive = found
            if keep_alive and status < 400 and count < self.read_size:
                self.last, self.last_status = data, status
            self.complete(fd, status, keep_alive, now, data)
            return
        reader = self.readers[fd] = Response(self.heads, max_body=self.spec.max_body_bytes)
        if self._kept_readers < READERS_KEPT:
            self._kept_readers += 1
            reader.keep(MAX_PAYLOAD_BYTES)
        self.state[fd] = READING if self.unsent[fd] is None else SENDING
        if self._feed(fd, reader, data, count, now):
            self.pull(fd)

    def _feed(self, fd: int, reader: Response, data: bytes | None, count: int, now: int) -> bool:
        """Give the reader what came; True if it needs more."""
        try:
            done = reader.skip(count) if data is None else reader.feed(data)
        except ProtocolError as error:
            self.fail(fd, Fault.TOO_LARGE if isinstance(error, TooLarge) else Fault.PROTOCOL, str(error))
            return False
        if not done:
            return True
        whole = data is not None and self.first[fd] == now
        if whole and reader.keep_alive and reader.status < 400 and count < self.read_size:
            self.last, self.last_status = data or b"", reader.status
        self.complete(fd, reader.status, reader.keep_alive, now, reader.kept_bytes or data or b"")
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
                self.complete(fd, reader.status, False, now, reader.kept_bytes)
        elif self.served[fd] and self.idempotent:
            request, intended, started = self.payload[fd], self.intended[fd], self.started[fd]
            self._close(fd)
            self.retried += 1
            self._connect(request, intended, started, now)
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

    def complete(self, fd: int, status: int, keep_alive: bool, now: int, data: bytes) -> None:
        """A whole response is here. Records it, and frees the connection for the next request or closes it."""
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
        self.until_sample -= 1
        if not self.until_sample or total_us >= self.slow_us or status >= 400 or status not in self.statuses_seen:
            self.look_at(status, self.timing(fd, now), data)
        self.in_flight -= 1
        self.served[fd] += 1
        if keep_alive and not self.ending[fd] and self.unsent[fd] is None:
            self._drop_reader(fd)
            self.state[fd] = IDLE
            self.idle.append(fd)
        else:
            self._close(fd)

    def fail(self, fd: int, fault: Fault, message: str) -> None:
        """The request under way gets no response."""
        elapsed_ns = clock() - self.intended[fd]
        self._close(fd)
        self.count_fault(fault, message, elapsed_ns)

    def _drop_reader(self, fd: int) -> None:
        reader = self.readers[fd]
        if reader is not None:
            self._kept_readers -= reader.keeps
            self.readers[fd] = None

    def _close(self, fd: int) -> None:
        self._drop_reader(fd)
        self.state[fd] = FREE
        self.unsent[fd] = None
        self.payload[fd] = b""
        self.open -= 1
        sock, self.sockets[fd] = self.sockets[fd], None
        self.streams[fd] = None
        sock.close()

    # Time

    def expire(self, now: int) -> None:
        """Give up requests that are under way for longer than the time-out, and make room for samples again."""
        self.make_room()
        limit = now - int(self.spec.timeout_s * 1e9)
        for fd in [fd for fd, state in enumerate(self.state) if FREE < state < IDLE and self.started[fd] <= limit]:
            self.fail(fd, Fault.TIMEOUT, f"no answer within {self.spec.timeout_s:g} s")

    def cancel(self) -> None:
        """Give up all requests under way."""
        for fd in [fd for fd, state in enumerate(self.state) if FREE < state < IDLE]:
            self.fail(fd, Fault.CANCELLED, "the run ended")

    def close(self) -> None:
        """Close everything; what is under way stays uncounted."""
        for sock in self.sockets:
            if sock is not None:
                sock.close()
        self.poller.close()

    # TLS. The SSL object's own calls cost half of what the checks in SSLSocket do.

    def _read_tls(self, fd: int, count: int) -> bytes:
        return self.streams[fd].read(count)

    def _write_tls(self, fd: int, data: bytes) -> int:
        return self.streams[fd].write(data)
