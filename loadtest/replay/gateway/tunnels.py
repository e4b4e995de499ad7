"""Connections whose bytes pass through unread: CONNECT without interception, and WebSockets after their handshake."""

import asyncio
from collections.abc import Callable

from aiohttp import ClientResponse, web
from aiohttp.base_protocol import BaseProtocol
from aiohttp.http import StreamWriter
from multidict import CIMultiDict

from loadtest.replay.gateway.answers import Relayed
from loadtest.replay.gateway.headers import SESSION

IDLE_S = 3600.0


class Pipe(asyncio.Protocol):
    """One end of a tunnel: what arrives goes out at the other end, no faster than that one takes it."""

    def __init__(self, on_end: Callable[[], object] = lambda: None) -> None:
        self._other: Pipe | None = None
        self._said_all = False
        self._on_end = on_end
        self._transport: asyncio.Transport | None = None
        self._clock = asyncio.get_running_loop()
        self._heard_at = self._clock.time()
        self._watch = self._clock.call_later(IDLE_S, self._look)

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """The other end is not known yet: nothing is read before `join`."""
        self._transport = transport  # type: ignore[assignment]
        self._transport.pause_reading()

    def join(self, other: "Pipe") -> None:
        """Make this and `other`, both connected, the two ends of a tunnel."""
        self._other, other._other = other, self
        for transport in (self._transport, other._transport):
            if transport:
                transport.resume_reading()

    def send(self, data: bytes) -> None:
        if self._transport and not self._transport.is_closing():
            self._transport.write(data)

    def data_received(self, data: bytes) -> None:
        self._heard_at = self._clock.time()
        if self._other:
            self._other.send(data)

    def eof_received(self) -> bool:
        self._said_all = True
        there = self._other._transport if self._other else None
        if self._other is None or there is None or self._other._said_all or not there.can_write_eof():
            return False  # nothing is left to come from either side: the transport closes itself
        there.write_eof()
        return True  # the other direction may go on

    def pause_writing(self) -> None:
        if self._other and self._other._transport:
            self._other._transport.pause_reading()

    def resume_writing(self) -> None:
        if self._other and self._other._transport and not self._other._transport.is_closing():
            self._other._transport.resume_reading()

    def connection_lost(self, error: Exception | None) -> None:
        self._watch.cancel()
        if self._other and self._other._transport:
            self._other._transport.close()
        self._transport = self._other = None
        self._on_end()

    def _look(self) -> None:
        heard_at = max(self._heard_at, self._other._heard_at if self._other else 0.0)
        if (left := heard_at + IDLE_S - self._clock.time()) > 0:
            self._watch = self._clock.call_later(left, self._look)
        elif self._transport:
            self._transport.close()


class _Spill:
    """One direction of an upgraded connection, in the place where aiohttp expects a WebSocket reader."""

    def __init__(self, source: BaseProtocol, sink: BaseProtocol, ended: "asyncio.Future[None]") -> None:
        self._source, self._sink, self._ended = source, sink, ended
        self._writer = StreamWriter(sink, asyncio.get_running_loop())
        self._draining: asyncio.Task[None] | None = None

    def feed_data(self, data: bytes) -> tuple[bool, bytes]:
        if self._sink.transport is None:
            self.feed_eof()
            return False, b""
        self._sink.transport.write(data)
        if self._sink.writing_paused and self._source.transport and self._draining is None:
            self._source.transport.pause_reading()
            self._draining = asyncio.create_task(self._drain())
        return False, b""

    async def _drain(self) -> None:
        try:
            await self._writer.drain()
            if self._source.transport:
                self._source.transport.resume_reading()
        except ConnectionError:
            self.feed_eof()
        finally:
            self._draining = None

    def feed_eof(self) -> None:
        if not self._ended.done():
            self._ended.set_result(None)


async def upgraded(request: web.BaseRequest, upstream: ClientResponse, session: str | None) -> Relayed:
    """Hand on a 101, then the bytes of both sides until one of them ends."""
    headers = CIMultiDict(upstream.headers)
    if session:
        headers[SESSION] = session
    response = Relayed(status=upstream.status, reason=upstream.reason, headers=headers)
    response.force_close()
    await response.prepare(request)
    response.flush()
    connection = upstream.connection
    here, there = request.protocol, connection.protocol if connection else None
    if there is None:
        raise ConnectionResetError("The upstream left after its handshake.")
    ended: asyncio.Future[None] = asyncio.get_running_loop().create_future()
    there.set_parser(_Spill(there, here, ended), None)
    here.set_parser(_Spill(here, there, ended))  # type: ignore[arg-type]  # the same two methods as its reader
    try:
        await ended
    finally:
        upstream.close()
    return response
