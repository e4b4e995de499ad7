"""From nothing to a connection that carries its first request: sockets, TLS, sending, and giving up."""

import errno
import os
import select
import socket
import ssl
import time
from typing import Any

from loadtest.engine.plan import Share
from loadtest.engine.rendering import endless
from loadtest.engine.requests import IDEMPOTENT, tls_context
from loadtest.engine.slots import CONNECTING, FREE, FRESH, HANDSHAKING, READING, SENDING, WAITING, Slots
from loadtest.engine.stats import Fault, Page
from loadtest.engine.tally import Tally

WATCHED = select.EPOLLIN | select.EPOLLRDHUP | select.EPOLLET
LATER = (BlockingIOError, ssl.SSLWantReadError, ssl.SSLWantWriteError)
OWN_LIMITS = {errno.EMFILE, errno.ENFILE, errno.EADDRNOTAVAIL, errno.ENOBUFS, errno.ENOMEM}

# What SSLSocket calls itself: half the cost without the checks around it. Public is only SSLSocket.
_TLS: Any = getattr(getattr(ssl, "_ssl", None), "_SSLSocket", ssl.SSLSocket)

clock = time.perf_counter_ns


class Dialling(Slots, Tally):
    """Sends requests. What comes back is read by `pull`, see connections.py."""

    def __init__(self, share: Share, page: Page) -> None:
        spec = share.spec
        self.poller = select.epoll()  # before all sockets: select() takes descriptors below 1,024 only
        Slots.__init__(self)
        Tally.__init__(self, share, page)
        self.variants = len(set(share.requests)) > 1 or not isinstance(share.requests[0], bytes)
        self.next_request = endless(share.requests)
        self.idempotent = spec.method in IDEMPOTENT
        self.context = tls_context(verify=spec.verify, ca_file=spec.ca_file) if spec.tls else None
        self.read: Any = os.read if self.context is None else _TLS.read
        self.write: Any = os.write if self.context is None else _TLS.write
        self._address = 0  # the one that answered last

    def pull(self, fd: int) -> None:
        """Read what is there."""
        raise NotImplementedError

    def issue(self, intended: int, now: int) -> None:
        """Hand one request to a connection: one that is open and idle, else a new one."""
        self.sent += 1
        self.in_flight += 1
        if self.in_flight > self.peak:
            self.peak = self.in_flight
        request = self.next_request()
        if not self.idle:
            self.connect(request, intended, now, now)
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
        else:  # the hot path knows nothing of redirects
            self.state[fd] = WAITING if self.served[fd] and not self.hops[fd] else FRESH
        try:
            count = self.write(self.handles[fd], data)
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

    def connect(self, request: bytes, intended: int, started: int, now: int, hops: int = 0) -> None:
        """Send the request over a new connection. `hops`: the redirects that led to it."""
        if not self.spec.addresses:
            self.count_fault(Fault.DNS, self.spec.unresolved, {"totalUs": (now - intended) // 1000})
            return
        host, port = self.spec.addresses[self._address]
        try:
            sock = socket.socket(socket.AF_INET6 if ":" in host else socket.AF_INET, socket.SOCK_STREAM)
        except OSError as error:
            self.count_fault(Fault.LOCAL, str(error), {"totalUs": (now - intended) // 1000})
            return
        sock.setblocking(False)
        sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        fd = sock.fileno()
        if fd >= len(self.sockets):
            self.grow(fd)
        self.sockets[fd], self.handles[fd], self.state[fd], self.payload[fd] = sock, fd, CONNECTING, request
        self.intended[fd], self.started[fd], self.connecting[fd] = intended, started, now
        self.connect_us[fd] = self.tls_us[fd] = self.served[fd] = 0
        self.hops[fd], self.ending[fd] = hops, False
        self.open += 1
        failure = sock.connect_ex((host, port))
        if failure not in (0, errno.EINPROGRESS):
            self._refused(fd, failure)
        else:
            self.poller.register(fd, WATCHED | select.EPOLLOUT)

    def _refused(self, fd: int, failure: int) -> None:
        self._address = (self._address + 1) % len(self.spec.addresses)
        self.fail(fd, Fault.LOCAL if failure in OWN_LIMITS else Fault.CONNECT, os.strerror(failure))

    def connect_further(self, fd: int) -> None:
        """The kernel says that the connection is there, or failed."""
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
        self.shake_hands(fd)

    def shake_hands(self, fd: int) -> None:
        """Go on with the TLS handshake."""
        try:
            self.sockets[fd].do_handshake()
        except LATER:
            return
        except OSError as error:
            self.fail(fd, Fault.TLS, str(error))
            return
        self.handles[fd] = self.sockets[fd]._sslobj if _TLS is not ssl.SSLSocket else self.sockets[fd]
        now = clock()
        self.tls_us[fd] = (now - self.connecting[fd]) // 1000
        self._send_first(fd, now)

    def _send_first(self, fd: int, now: int) -> None:
        self.poller.modify(fd, WATCHED)
        self.ready[fd] = now
        self.transmit(fd, self.payload[fd])

    def fail(self, fd: int, fault: Fault, message: str) -> None:
        """The request under way gets no response."""
        parts = self.reached(fd, clock())
        self.drop(fd)
        self.count_fault(fault, message, parts)

    def drop(self, fd: int) -> None:
        """Close a connection and forget what is known of it."""
        self.readers[fd] = None
        self.state[fd] = FREE
        self.unsent[fd] = None
        self.payload[fd] = b""
        self.open -= 1
        sock, self.sockets[fd] = self.sockets[fd], None
        self.handles[fd] = None
        sock.close()
