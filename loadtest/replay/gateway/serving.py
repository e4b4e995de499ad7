"""A gateway at work: its listeners, what they share, and its orderly end."""

import asyncio
import contextlib
from functools import partial

from aiohttp import web

from loadtest.replay.gateway.authority import Authority
from loadtest.replay.gateway.control import Control
from loadtest.replay.gateway.forwarding import Upstreams
from loadtest.replay.gateway.listeners import Connection, Front, House, Listener
from loadtest.replay.gateway.options import Options
from loadtest.replay.gateway.proxy import Behaviour, Proxy
from loadtest.replay.gateway.targets import Guard
from loadtest.replay.gateway.uploads import Uploads

FINISH_S = 5.0  # for requests under way at the end
FLUSH_S = 15.0  # for what was captured


class Gateway:
    """Starts and stops. `addresses` are those it listens on, in the order of the listeners."""

    def __init__(
        self, options: Options, *, base_url: str, session: str | None, fail_open: bool, authority: Authority | None
    ) -> None:
        self._options, self._session, self._guard = options, session, Guard()
        self.fail_open = fail_open
        self._control = Control(base_url, options.key)
        self.uploads = Uploads(self._control)
        self._upstreams = Upstreams(
            self._guard,
            idle_s=options.idle_s,
            ca_file=options.upstream_ca,
            insecure=options.insecure_upstream,
        )
        behaviour = Behaviour(fail_open, options.spy, options.skip_static, options.keep, options.idle_s)
        self.proxy = Proxy(self._control, self.uploads, self._upstreams, session, behaviour)
        self._server = web.Server(self.proxy, handler_cancellation=True)
        self._house = House(self._server, self._guard, authority, most=options.connections, idle_s=options.idle_s)
        self._listening: list[asyncio.Server] = []
        self._sending: asyncio.Task[None] | None = None
        self.addresses: list[str] = []

    async def start(self) -> None:
        """Listen. Raises OSError where an address is taken; nothing listens then."""
        loop = asyncio.get_running_loop()
        try:
            for listener in self._options.listeners:
                server = await loop.create_server(
                    partial(self._protocol, listener), listener.host, listener.port, backlog=1024
                )
                self._listening.append(server)
                host, port = server.sockets[0].getsockname()[:2]
                self._guard.own(host, port)
                self.addresses.append(f"[{host}]:{port}" if ":" in host else f"{host}:{port}")
        except OSError:
            await self.stop()
            raise
        self._sending = asyncio.create_task(self.uploads.run())

    def _protocol(self, listener: Listener) -> asyncio.Protocol:
        return Connection(self._house, listener, None) if listener.to else Front(self._house, listener)

    async def stop(self) -> None:
        """No new connections, requests under way end, what was captured is sent; then close."""
        for server in self._listening:
            server.close()
        self._server.pre_shutdown()
        await self._server.shutdown(FINISH_S)
        if self._sending:
            await self.uploads.flush(FLUSH_S)
            self._sending.cancel()
            with contextlib.suppress(asyncio.CancelledError):
                await self._sending
        await self._upstreams.close()
        await self._control.close()
