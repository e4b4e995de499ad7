"""Terminals that people open on this machine through the server (contract: fleet console §31.5, §32.5).

Shells outlive a connection: while it is cut their output waits, and the program with it. When the server has been gone
for longer than a person may come back, they end.
"""

from __future__ import annotations

import asyncio
import base64
import binascii
import logging
from collections.abc import Awaitable, Callable
from typing import Any

from pharos_agent.threads import in_thread

try:
    from pharos_agent import shells
except ImportError:  # no pseudo-terminals on this system
    shells = None  # type: ignore[assignment]

log = logging.getLogger(__name__)

MOST_SHELLS = 20
GRACE_S = 300.0
RETRY_S = 0.2
COLS, ROWS = (2, 1000), (1, 500)
Send = Callable[..., Awaitable[bool]]


class Terminals:
    """The shells of this machine by the id of their session."""

    def __init__(self, *, allowed: bool, shell: str | None, send: Send) -> None:
        self._allowed, self._shell, self._send = allowed, shell, send
        self._shells: dict[str, shells.Shell] = {}
        self._tasks: set[asyncio.Task[None]] = set()
        self._connected = asyncio.Event()
        self._deadline: asyncio.TimerHandle | None = None

    def opened(self) -> None:
        """A connection is open: the server is told which shells run, and gets what has waited."""
        if self._deadline:
            self._deadline.cancel()
        self._spawn(self._announce())

    def lost(self) -> None:
        self._connected.clear()
        self._deadline = asyncio.get_running_loop().call_later(GRACE_S, self._hang_up_all)

    async def close(self) -> None:
        """The agent stops: no shell is left behind."""
        for shell in self._shells.values():
            shell.kill()
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)

    async def create(self, session_id: str, cols: Any, rows: Any) -> None:
        """Start a shell, or tell the server why there is none."""
        if not session_id or session_id in self._shells:
            return
        try:
            shell = await self._start(_within(cols, COLS, 80), _within(rows, ROWS, 24))
        except OSError as exc:
            await self._send("terminal:closed", {"session_id": session_id, "reason": str(exc)}, session_id=session_id)
            return
        self._shells[session_id] = shell
        log.info("terminal %s: a shell was started", session_id)
        self._spawn(self._serve(session_id, shell))

    def type_into(self, session_id: str, data: Any) -> None:
        shell = self._shells.get(session_id)
        if shell is None or not isinstance(data, str):
            return
        try:
            shell.write(base64.b64decode(data, validate=True))
        except (ValueError, binascii.Error):
            log.warning("the server sent input that is not base64")

    def resize(self, session_id: str, cols: Any, rows: Any) -> None:
        if shell := self._shells.get(session_id):
            shell.resize(_within(cols, COLS, 80), _within(rows, ROWS, 24))

    def end(self, session_id: str) -> None:
        if shell := self._shells.get(session_id):
            shell.hang_up()

    async def _start(self, cols: int, rows: int) -> shells.Shell:
        if shells is None:
            raise OSError("terminals are not possible on this system")
        if not self._allowed:
            raise OSError("terminals are switched off on this machine (PHAROS_AGENT_TERMINAL)")
        if len(self._shells) >= MOST_SHELLS:
            raise OSError(f"{MOST_SHELLS} terminals are open on this machine already")
        return await in_thread(shells.Shell.start, shells.choose(self._shell), cols, rows)

    async def _serve(self, session_id: str, shell: shells.Shell) -> None:
        async def put(data: bytes) -> None:
            text = base64.b64encode(data).decode("ascii")
            await self._tell("terminal:output", {"session_id": session_id, "data": text})

        try:
            code = await shell.run(put)
            log.info("terminal %s: the shell ended with %d", session_id, code)
            await self._tell("terminal:closed", {"session_id": session_id, "exit_code": code})
        finally:
            self._shells.pop(session_id, None)

    async def _announce(self) -> None:
        await self._send("terminal:sessions", {"session_ids": list(self._shells)})
        self._connected.set()

    async def _tell(self, kind: str, payload: dict[str, Any]) -> None:
        """Send as soon as there is a connection."""
        while True:
            await self._connected.wait()
            if await self._send(kind, payload, session_id=payload["session_id"]):
                return
            await asyncio.sleep(RETRY_S)  # cut a moment ago; `lost` will say so

    def _hang_up_all(self) -> None:
        for shell in self._shells.values():
            shell.hang_up()

    def _spawn(self, work: Any) -> None:
        task = asyncio.ensure_future(work)
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)


def _within(value: Any, limits: tuple[int, int], default: int) -> int:
    """A size from a frame, kept within what a screen can have."""
    if isinstance(value, bool) or not isinstance(value, int):
        return default
    return min(max(value, limits[0]), limits[1])
