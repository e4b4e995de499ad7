"""Many readers on WebSockets, as cheap as can be: they note when each message came."""

import asyncio
import base64
import os
import re
import struct
import time

AT_ONCE = 64
SENT_AT = re.compile(rb'"sentAt": ?([0-9.]+)')


class Client(asyncio.Protocol):
    """One reader. `delays` has the seconds from sending to hearing of each message; pings are answered."""

    def __init__(self, request: bytes, delays: list[float]) -> None:
        self._request, self._delays = request, delays
        self._buffer, self._upgraded = b"", False
        self.open: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self.is_lost = False

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self.transport = transport
        transport.write(self._request)  # type: ignore[attr-defined]

    def connection_lost(self, error: Exception | None) -> None:
        self.is_lost = True
        if not self.open.done():
            self.open.set_exception(ConnectionError(self._buffer[:200].decode("latin-1")))

    def data_received(self, data: bytes) -> None:
        self._buffer += data
        if not self._upgraded:
            head, found, rest = self._buffer.partition(b"\r\n\r\n")
            if not found:
                return
            if not head.startswith(b"HTTP/1.1 101"):
                self.transport.close()
                return
            self._upgraded, self._buffer = True, rest
            self.open.set_result(None)
        while frame := self._frame():
            code, body = frame
            if code == 9:
                self.send(body, code=10)
            elif code == 1 and (found_at := SENT_AT.search(body)):
                self._delays.append(time.time() - float(found_at[1]))

    def _frame(self) -> tuple[int, bytes] | None:
        """The next whole frame; a server's frames carry no mask."""
        buffer = self._buffer
        if len(buffer) < 2:
            return None
        size, start = buffer[1], 2
        if size == 126:
            if len(buffer) < 4:
                return None
            (size,), start = struct.unpack("!H", buffer[2:4]), 4
        if size == 127 or len(buffer) < start + size:
            return None
        self._buffer = buffer[start + size :]
        return buffer[0] & 15, buffer[start : start + size]

    def send(self, body: bytes, code: int = 1) -> None:
        """A frame with a mask of zeros."""
        size = bytes([128 | len(body)]) if len(body) < 126 else b"\xfe" + struct.pack("!H", len(body))
        self.transport.write(bytes([128 | code]) + size + b"\0\0\0\0" + body)  # type: ignore[attr-defined]


async def connect(port: int, path: str, key: str, count: int, delays: list[float]) -> list[Client]:
    """So many readers on that path."""
    head = (
        f"GET {path} HTTP/1.1\r\nHost: 127.0.0.1:{port}\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
        f"Sec-WebSocket-Version: 13\r\nAuthorization: Bearer {key}\r\nSec-WebSocket-Key: "
    )
    clients: list[Client] = []
    gate = asyncio.Semaphore(AT_ONCE)

    async def one() -> None:
        request = f"{head}{base64.b64encode(os.urandom(16)).decode()}\r\n\r\n".encode()
        async with gate:
            _, client = await asyncio.get_running_loop().create_connection(
                lambda: Client(request, delays), "127.0.0.1", port
            )
            clients.append(client)
            await asyncio.wait_for(client.open, 30)

    await asyncio.gather(*(one() for _ in range(count)))
    return clients
