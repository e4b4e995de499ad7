"""Listeners, and who speaks with a connection that comes in (contract: traffic replay §12, listener kinds)."""

import asyncio
import logging
import socket
from dataclasses import dataclass, field
from ipaddress import ip_address
from typing import Any

from aiohttp import web
from aiohttp.http import HttpProcessingError
from aiohttp.web_protocol import RequestHandler

from config.networks import Network
from loadtest.replay.gateway.authority import Authority
from loadtest.replay.gateway.forwarding import CONNECT_S, HEAD_BYTES
from loadtest.replay.gateway.targets import BadTarget, Guard, GuardedResolver, Refused, Target, matches, split_authority
from loadtest.replay.gateway.tunnels import Pipe

HANDSHAKE_S = 10.0
_CONNECT = b"CONNECT "
_FULL = b"HTTP/1.1 503 Service Unavailable\r\nConnection: close\r\nContent-Length: 0\r\n\r\n"

log = logging.getLogger("pharos.gateway")


@dataclass(frozen=True)
class Listener:
    """Where the gateway listens, and what for. `to` is the upstream of a reverse listener, None of a forward one."""

    host: str
    port: int
    to: Target | None = None
    inbound: bool = False
    service: str = ""
    session: str | None = None
    intercept: tuple[str, ...] = ()
    clients: tuple[Network, ...] = field(default=())  # who may use a forward listener; nobody else but this machine

    @property
    def direction(self) -> str:
        return "inbound" if self.inbound else "outbound"

    def admits(self, peer: Any) -> bool:
        """Whether this client may use the listener; anyone may use a reverse one."""
        if self.to is not None:
            return True
        address = ip_address(peer[0].partition("%")[0]) if peer else None
        if address is None or address.is_loopback:
            return True
        address = getattr(address, "ipv4_mapped", None) or address
        return any(address in network for network in self.clients)


class House:
    """What the connections of all listeners share."""

    def __init__(self, server: web.Server, guard: Guard, authority: Authority | None, *, most: int, idle_s: float):
        self.server, self.authority, self.guard = server, authority, guard
        self.resolver, self.idle_s = GuardedResolver(guard), idle_s
        self._most, self._inside = most, set[asyncio.BaseProtocol]()

    def enter(self, protocol: asyncio.BaseProtocol) -> bool:
        """Count a connection in; False when the house is full."""
        if len(self._inside) >= self._most:
            return False
        self._inside.add(protocol)
        return True

    def leave(self, protocol: asyncio.BaseProtocol) -> None:
        self._inside.discard(protocol)


class Connection(RequestHandler):
    """HTTP over one connection. `tunnel` is scheme, host and port of the CONNECT that it came through."""

    def __init__(self, house: House, listener: Listener, tunnel: tuple[str, str, int] | None) -> None:
        super().__init__(
            house.server,
            loop=asyncio.get_running_loop(),
            keepalive_timeout=house.idle_s,
            access_log=None,  # type: ignore[arg-type]  # None switches it off
            auto_decompress=False,
            max_line_size=HEAD_BYTES,
            max_field_size=HEAD_BYTES,
        )
        self.listener, self.tunnel, self._house = listener, tunnel, house

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        super().connection_made(transport)
        if not self._house.enter(self) and self.transport:
            self.transport.write(_FULL)
            self.force_close()

    def connection_lost(self, exc: BaseException | None) -> None:
        self._house.leave(self)
        super().connection_lost(exc)

    def log_exception(self, *args: Any, **told: Any) -> None:
        """Faults of ours with their traceback; what callers do wrong is no news."""
        if not isinstance(told.get("exc_info"), HttpProcessingError):
            super().log_exception(*args, **told)


class Front(asyncio.Protocol):
    """The begin of a connection to a forward listener: CONNECT is dealt with here, all else is plain HTTP."""

    def __init__(self, house: House, listener: Listener) -> None:
        self._house, self._listener = house, listener
        self._head, self._decided = b"", False
        self._task: asyncio.Task[None] | None = None

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport: asyncio.Transport = transport  # type: ignore[assignment]
        if not self._listener.admits(transport.get_extra_info("peername")):
            self._answer(403, "This client may not use this proxy.")
        elif not self._house.enter(self):
            transport.write(_FULL)  # type: ignore[attr-defined]
            transport.close()
        self._deadline = asyncio.get_running_loop().call_later(self._house.idle_s, transport.close)

    def connection_lost(self, error: Exception | None) -> None:
        self._deadline.cancel()
        self._house.leave(self)

    def data_received(self, data: bytes) -> None:
        self._head += data
        if self._decided or self._transport.is_closing() or _CONNECT.startswith(self._head):
            return
        if not self._head.startswith(_CONNECT):
            self._decided = True
            self._hand_over(self._transport, Connection(self._house, self._listener, None))
        elif (end := self._head.find(b"\r\n\r\n")) > HEAD_BYTES or (end < 0 and len(self._head) > HEAD_BYTES):
            self._answer(431, "The head of the request is too large.")
        elif end >= 0:
            self._decided = True
            self._transport.pause_reading()
            self._task = asyncio.create_task(self._connect())
            self._task.add_done_callback(self._concluded)

    def _hand_over(self, transport: asyncio.Transport, to: asyncio.Protocol) -> None:
        self._deadline.cancel()
        self._house.leave(self)
        transport.set_protocol(to)
        to.connection_made(transport)
        if self._head:
            to.data_received(self._head)

    def _answer(self, status: int, sentence: str) -> None:
        body = f"{sentence}\n".encode()
        head = f"HTTP/1.1 {status} Refused\r\nContent-Type: text/plain; charset=utf-8\r\nConnection: close\r\n"
        self._transport.write(f"{head}Content-Length: {len(body)}\r\n\r\n".encode() + body)
        self._transport.close()

    def _concluded(self, task: "asyncio.Task[None]") -> None:
        if not task.cancelled() and (fault := task.exception()):
            log.error("CONNECT failed by a fault of ours", exc_info=fault)
            self._transport.abort()

    async def _connect(self) -> None:
        line, _, rest = self._head.partition(b"\r\n")
        self._head = rest.partition(b"\r\n\r\n")[2] if not rest.startswith(b"\r\n") else rest[2:]
        try:
            host, port = split_authority(line.split(b" ")[1].decode("ascii"), "https")
            if self._house.authority and matches(host, self._listener.intercept):
                await self._open(host, port)
            else:
                await self._tunnel(host, port)
        except (BadTarget, UnicodeError) as fault:
            self._answer(400, str(fault) if isinstance(fault, BadTarget) else "The host must be a name in ASCII.")
        except Refused as fault:
            self._answer(403, str(fault))
        except (OSError, TimeoutError) as fault:
            log.info("CONNECT failed: %s", type(fault).__name__)
            if not self._transport.is_closing():
                self._answer(502, "No connection to that host.")

    async def _open(self, host: str, port: int) -> None:
        """Speak with the client in the host's name."""
        self._transport.write(b"HTTP/1.1 200 Connection established\r\n\r\n")
        scheme, transport = "http", self._transport
        if port != 80:  # what is tunnelled to port 80 is plain HTTP, like ws://
            if self._head:
                self._transport.abort()  # it did not wait for the answer; TLS cannot begin in the middle
                return
            scheme, context = "https", self._house.authority.context(host)
            loop = asyncio.get_running_loop()
            try:
                opened = await loop.start_tls(
                    transport, self, context, server_side=True, ssl_handshake_timeout=HANDSHAKE_S
                )
            except OSError as fault:  # most often: the client does not trust our authority
                log.warning("TLS with a client for %s failed: %s. Does it trust the CA?", host, fault)
                self._transport.abort()
                return
            if opened is None:
                return
            transport = opened
        self._hand_over(transport, Connection(self._house, self._listener, (scheme, host, port)))
        transport.resume_reading()

    async def _tunnel(self, host: str, port: int) -> None:
        """Pass the bytes through unread."""
        there = await self._dial(host, port)
        house = self._house
        here = Pipe(on_end=lambda: house.leave(here))
        self._deadline.cancel()
        house.leave(self)
        house.enter(here)
        self._transport.set_protocol(here)
        here.connection_made(self._transport)
        here.send(b"HTTP/1.1 200 Connection established\r\n\r\n")
        there.send(self._head)
        here.join(there)
        if self._transport.is_closing():
            here.connection_lost(None)

    async def _dial(self, host: str, port: int) -> Pipe:
        fault = OSError(f"{host} has no address")
        self._house.guard.check_literal(Target("https", host, port, "/", host))
        for answer in await self._house.resolver.resolve(host, port, socket.AF_UNSPEC):
            try:
                async with asyncio.timeout(CONNECT_S):
                    loop = asyncio.get_running_loop()
                    return (await loop.create_connection(Pipe, answer["host"], port))[1]
            except (OSError, TimeoutError) as error:
                fault = OSError(str(error))
        raise fault
