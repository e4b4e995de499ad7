"""Real listeners on loopback, for tests of what goes out and of what must not."""

import contextlib
import re
import socket
import ssl
import threading
import time
from collections.abc import Callable, Iterator

Serve = Callable[[socket.socket, bytes], None]


class Listener:
    """Accepts connections, keeps each request's head, and lets `serve(connection, head)` answer it."""

    def __init__(self, serve: Serve, address: str, port: int, tls: ssl.SSLContext | None) -> None:
        self.requests: list[bytes] = []
        self.connections = 0
        self._serve, self._tls, self._open = serve, tls, set[socket.socket]()
        family = socket.AF_INET6 if ":" in address else socket.AF_INET
        self._server = socket.create_server((address, port), family=family, backlog=64)
        self.address, self.port = self._server.getsockname()[:2]
        self._threads = [threading.Thread(target=self._accept, daemon=True)]
        self._threads[0].start()

    def url(self, path: str = "/", *, host: str | None = None, scheme: str = "http") -> str:
        name = host or (f"[{self.address}]" if ":" in self.address else self.address)
        return f"{scheme}://{name}:{self.port}{path}"

    def _accept(self) -> None:
        with contextlib.suppress(OSError):  # closing the server ends the loop
            while True:
                connection, _ = self._server.accept()
                self.connections += 1
                self._open.add(connection)
                self._threads.append(threading.Thread(target=self._answer, args=(connection,), daemon=True))
                self._threads[-1].start()

    def _answer(self, connection: socket.socket) -> None:
        # The client may leave at any moment: that is what many of the tests are about.
        with contextlib.suppress(OSError), connection:
            speaking = self._tls.wrap_socket(connection, server_side=True) if self._tls else connection
            self._open.add(speaking)
            with speaking:
                head = _received(speaking)
                if not head:
                    return
                self.requests.append(head)
                self._serve(speaking, head)

    def close(self) -> None:
        for sock in (self._server, *self._open):
            with contextlib.suppress(OSError):
                sock.shutdown(socket.SHUT_RDWR)
            sock.close()
        for thread in self._threads:
            thread.join(timeout=5)


def _received(connection: socket.socket) -> bytes:
    """Head and, when it is small, body of one request; empty when the client left before its end."""
    data, wanted = b"", 1
    while len(data) < wanted:
        received = connection.recv(65536)
        if not received:
            return b""
        data += received
        head, end, _ = data.partition(b"\r\n\r\n")
        length = re.search(rb"(?i)\r\ncontent-length: (\d+)", head)
        body = int(length[1]) if length else 0
        wanted = len(head + end) + (body if body < 65536 else 0) if end else len(data) + 1
    return data


def answer(body: bytes = b"ok", *headers: str, status: str = "200 OK") -> Serve:
    """A `serve` that sends one fixed, well-formed answer."""
    lines = [f"HTTP/1.1 {status}", *headers, f"Content-Length: {len(body)}", "Connection: close", "", ""]
    data = "\r\n".join(lines).encode() + body
    return lambda connection, head: connection.sendall(data)


def redirect(to: str, status: str = "302 Found") -> Serve:
    return answer(b"moved", f"Location: {to}", status=status)


def drip(head: bytes, piece: bytes, pause_s: float = 0.02) -> Serve:
    """Send the head, then the piece again and again, until the client leaves."""

    def serve(connection: socket.socket, _: bytes) -> None:
        connection.sendall(head)
        while True:
            connection.sendall(piece)
            time.sleep(pause_s)

    return serve


def sending(data: bytes) -> Serve:
    """Send these bytes, whatever they are, and close."""
    return lambda connection, _: connection.sendall(data)


def flood(head: bytes, piece: bytes) -> Serve:
    """As `drip`, as fast as it goes."""
    return drip(head, piece * (65536 // len(piece)), pause_s=0)


@contextlib.contextmanager
def within(seconds: float) -> Iterator[None]:
    """Fail when the block takes longer."""
    began = time.monotonic()
    yield
    assert time.monotonic() - began < seconds


@contextlib.contextmanager
def listening(
    serve: Serve | None = None,
    *,
    address: str = "127.0.0.1",
    port: int = 0,
    tls: ssl.SSLContext | None = None,
) -> Iterator[Listener]:
    listener = Listener(serve or answer(), address, port, tls)
    try:
        yield listener
    finally:
        listener.close()
