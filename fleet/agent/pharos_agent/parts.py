"""What outlives a connection: what waits for the server, and what runs on this machine on its behalf."""

from __future__ import annotations

import asyncio
from collections.abc import Coroutine
from typing import Any

from pharos_agent.backups import Backups
from pharos_agent.commands import Commands
from pharos_agent.config import Config
from pharos_agent.frames import MAX_FRAME_BYTES, encode
from pharos_agent.logfiles import LogFiles
from pharos_agent.outbox import Outbox
from pharos_agent.stocktaking import Stocktaking
from pharos_agent.terminals import Terminals
from websockets.asyncio.client import ClientConnection
from websockets.exceptions import ConnectionClosed


class Parts:
    """Handed to every handler of a frame. `send` speaks on whichever connection is open."""

    def __init__(self, config: Config, outbox: Outbox) -> None:
        self.config, self.outbox = config, outbox
        self.errors_logged_at: dict[str, float] = {}
        self.backups = Backups()
        self.commands = Commands(allowed=config.commands, send=self.send)
        self.log_files = LogFiles(config.log_dirs, config.logs)
        self.stocktaking = Stocktaking(config, self.send, is_connected=lambda: self._connection is not None)
        self.terminals = Terminals(allowed=config.terminal, shell=config.shell, send=self.send)
        self._connection: ClientConnection | None = None
        self._tasks: set[asyncio.Future[None]] = set()

    def opened(self, connection: ClientConnection) -> None:
        """A connection is open from now on."""
        self._connection = connection
        self.commands.opened()
        self.terminals.opened()

    def lost(self, connection: ClientConnection) -> None:
        """That connection has ended; what runs goes on."""
        if self._connection is connection:
            self._connection = None
            self.commands.lost()
            self.terminals.lost()

    def spawn(self, work: Coroutine[Any, Any, None]) -> None:
        """Go on with what takes long beside the frames that follow."""
        task = asyncio.ensure_future(work)
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    async def close(self) -> None:
        """The agent stops: nothing that it started is left behind."""
        for task in list(self._tasks):
            task.cancel()
        await self.commands.close()
        await self.terminals.close()

    async def send(
        self,
        kind: str,
        payload: dict[str, Any],
        session_id: str | None = None,
        *,
        most_bytes: int = MAX_FRAME_BYTES,
    ) -> bool:
        """Send a frame about this instance; False when no connection is open. Raises ValueError above `most_bytes`."""
        body = {"instance_id": self.config.instance_id, **payload}
        text = encode(kind, body, session_id, most_bytes=most_bytes)
        if self._connection is None:
            return False
        try:
            await self._connection.send(text)
        except ConnectionClosed:
            return False
        return True
