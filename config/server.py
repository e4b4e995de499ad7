"""The web server of `pharos up`, and the watch over the parts beside it."""

import signal
import socket
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import uvicorn

from config.parts import Part
from config.sockets import SocketProtocol

GRACE_S = 2  # how long open requests may go on after the signal to stop


class Server(uvicorn.Server):
    """The web server, which tells when it listens."""

    def __init__(self, *, on_ready: Any) -> None:
        super().__init__(
            uvicorn.Config(
                "config.asgi:application",
                ws=SocketProtocol,
                ws_max_size=1 << 20,
                ws_ping_interval=30,
                ws_ping_timeout=60,
                timeout_graceful_shutdown=GRACE_S,
                proxy_headers=False,
                server_header=False,
                access_log=False,
                log_config=None,
            )
        )
        self._on_ready = on_ready
        self.was_ready = False

    @contextmanager
    def capture_signals(self) -> Iterator[None]:
        """Uvicorn would raise the signal again afterwards; here the other parts still have to stop."""
        for number in (signal.SIGINT, signal.SIGTERM):
            signal.signal(number, self.handle_exit)
        yield

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        await super().startup(sockets)
        if self.started:
            self._on_ready()
            self.was_ready = True


class Watcher:
    """Ends the server when a part has died, and keeps the reason."""

    def __init__(self, server: Server, parts: list[Part]) -> None:
        self.fault: str | None = None
        self._server, self._parts = server, parts
        self._done = threading.Event()
        threading.Thread(target=self._watch, name="watcher", daemon=True).start()

    def _watch(self) -> None:
        while not self._done.wait(1):
            for part in self._parts:
                if part.started and not part.alive() and not self._server.should_exit:
                    self.fault = f"the {part.name} has died ({part.fault or 'no reason given'})"
                    self._server.should_exit = True
                    return

    def stop(self) -> None:
        self._done.set()
