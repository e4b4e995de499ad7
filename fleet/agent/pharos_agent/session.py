"""One connection to the server, from upgrade to close (contract: fleet console §31)."""

from __future__ import annotations

import asyncio
import json
import logging
import time
from collections.abc import Callable
from typing import Any

from pharos_agent import __version__, inventory
from pharos_agent.backlog import Backlog
from pharos_agent.config import Config
from pharos_agent.frames import encode, timestamp
from pharos_agent.logs import readable
from pharos_agent.sampler import uptime_s
from pharos_agent.threads import in_thread
from websockets.asyncio.client import ClientConnection, connect

log = logging.getLogger(__name__)

BATCH = 20  # samples sent before the server must confirm them
MAX_MESSAGE_BYTES = 1024 * 1024
ERROR_LOG_PAUSE_S = 60.0
NOT_ENABLED_EXIT_CODE = 126  # what a shell gives for a command that it may not run


class Outbox:
    """What the sampling side hands to whichever connection is open."""

    def __init__(self, backlog: Backlog) -> None:
        self.backlog = backlog
        self.processes: list[dict[str, Any]] | None = None  # the newest list
        self.processes_are_new = False
        self.changed = asyncio.Event()

    def put(self, sample: dict[str, Any], processes: list[dict[str, Any]] | None) -> None:
        self.backlog.add(sample)
        if processes is not None:
            self.processes, self.processes_are_new = processes, True
        self.changed.set()


class _Connect(connect):
    def process_redirect(self, exc: Exception) -> Exception:
        """A redirect is an error: the key must not follow it to another place."""
        return exc


class Session:
    """Speaks for one instance until the connection ends."""

    def __init__(self, config: Config, outbox: Outbox, *, on_open: Callable[[], None]) -> None:
        self._config = config
        self._outbox = outbox
        self._error_logged_at: dict[str, float] = {}
        self._opened_at = ""
        self._on_open = on_open

    async def run(self) -> None:
        """Connect, then send and answer until the connection ends.

        Raises what ended it: an exception of websockets, OSError or a time-out.
        """
        config = self._config
        async with _Connect(
            f"ws{config.url[len('http') :]}/ws/agent",
            additional_headers={
                "Authorization": f"Bearer {config.key}",
                "X-Instance-ID": config.instance_id,
                "X-Agent-Version": __version__,
            },
            user_agent_header=f"pharos-agent/{__version__}",
            compression=None,  # small frames, many agents: memory on both sides matters more
            max_size=MAX_MESSAGE_BYTES,
            close_timeout=1,
            proxy=None if config.is_loopback else True,
            logger=logging.getLogger("pharos_agent.websocket"),
        ) as connection:
            self._opened_at = timestamp()
            self._on_open()
            log.info("connected to %s as %s", config.url, config.instance_id)
            await _until_first_ends(self._heartbeats(connection), self._samples(connection), self._answers(connection))

    async def _heartbeats(self, connection: ClientConnection) -> None:
        while True:
            await self._send(connection, "heartbeat", {"timestamp": timestamp(), "uptime_seconds": uptime_s()})
            await asyncio.sleep(self._config.heartbeat_s)

    async def _samples(self, connection: ClientConnection) -> None:
        """Send waiting samples, the oldest first, then the newest process list; then wait for more."""
        outbox = self._outbox
        while True:
            outbox.changed.clear()
            while len(outbox.backlog):
                await self._send_batch(connection)
            if outbox.processes_are_new:
                outbox.processes_are_new = False
                report = {"hostname": inventory.hostname(), "processes": outbox.processes}
                await self._send(connection, "inventory", report)
            await outbox.changed.wait()

    async def _send_batch(self, connection: ClientConnection) -> None:
        """Send some samples and forget them once a pong shows that the server has read them.

        Paced, so that a long backlog leaves room below the server's limit of frames a second.
        """
        started = time.monotonic()
        upto, samples = self._outbox.backlog.peek(BATCH)
        for sample in samples:
            late = {"replayed": True} if sample["timestamp"] < self._opened_at else {}
            await self._send(connection, "metrics", {**sample, **late})
        pong = await connection.ping()
        await asyncio.wait_for(pong, self._config.confirm_timeout_s)
        self._outbox.backlog.confirm(upto)
        if len(self._outbox.backlog):
            pace_s = len(samples) / self._config.replay_samples_per_s
            await asyncio.sleep(max(0.0, pace_s - (time.monotonic() - started)))

    async def _answers(self, connection: ClientConnection) -> None:
        while True:  # until the connection closes, which raises
            message = await connection.recv()
            try:
                frame = json.loads(message)
            except (ValueError, RecursionError):
                log.warning("the server sent something that is not JSON")
                continue
            if isinstance(frame, dict):
                await self._answer(connection, frame)

    async def _answer(self, connection: ClientConnection, frame: dict[str, Any]) -> None:
        kind = _text(frame.get("type"))
        answer: Callable[..., Any] | None = {
            "command:dispatch": self._refuse_command,
            "terminal:create": self._refuse_terminal,
            "inventory:request": self._report_inventory,
            "error": self._note_error,
        }.get(kind)
        if answer:
            await answer(connection, frame)
        elif kind != "heartbeat:pong":
            log.debug("ignored a message of type %s", readable(kind))

    async def _refuse_command(self, connection: ClientConnection, frame: dict[str, Any]) -> None:
        """Answer at once, so that nothing on the server waits for a result that never comes."""
        result = {
            "command_id": _text(_body(frame).get("command_id")),
            "stdout": "",
            "stderr": "commands are not enabled in this agent version",
            "exit_code": NOT_ENABLED_EXIT_CODE,
            "duration_ms": 0,
        }
        await self._send(connection, "command:result", result)

    async def _refuse_terminal(self, connection: ClientConnection, frame: dict[str, Any]) -> None:
        session_id = _text(frame.get("session_id") or _body(frame).get("session_id"))
        reason = "terminals are not enabled in this agent version"
        await self._send(
            connection, "terminal:closed", {"session_id": session_id, "reason": reason}, session_id=session_id
        )

    async def _report_inventory(self, connection: ClientConnection, _: dict[str, Any]) -> None:
        await self._send(connection, "inventory", await in_thread(inventory.describe, self._outbox.processes))

    async def _note_error(self, _: ClientConnection, frame: dict[str, Any]) -> None:
        """Log an error the server reports; the same one at most once a minute."""
        code, now = readable(_text(_body(frame).get("code"))), time.monotonic()
        if now - self._error_logged_at.get(code, -ERROR_LOG_PAUSE_S) < ERROR_LOG_PAUSE_S:
            return
        if len(self._error_logged_at) >= 100:  # codes come from outside: keep few
            self._error_logged_at.clear()
        self._error_logged_at[code] = now
        log.warning("the server reports %s: %s", code, readable(_text(_body(frame).get("message"))))

    async def _send(
        self, connection: ClientConnection, kind: str, payload: dict[str, Any], session_id: str | None = None
    ) -> None:
        payload = {"instance_id": self._config.instance_id, **payload}
        await connection.send(encode(kind, payload, session_id))


def _body(frame: dict[str, Any]) -> dict[str, Any]:
    """The content of a frame of either dialect; empty when it is not an object."""
    body = frame.get("payload", frame.get("data"))
    return body if isinstance(body, dict) else {}


def _text(value: Any) -> str:
    """A name or sentence from a frame; empty when it is something else, which could be of any depth."""
    return str(value)[:128] if isinstance(value, (str, int)) else ""


async def _until_first_ends(*work: Any) -> None:
    """Run all; when one ends, cancel the others and raise what it raised."""
    tasks = [asyncio.ensure_future(item) for item in work]
    try:
        done, _ = await asyncio.wait(tasks, return_when=asyncio.FIRST_COMPLETED)
    finally:
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
    for task in done:
        task.result()
