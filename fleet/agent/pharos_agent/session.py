"""One connection to the server, from upgrade to close (contract: fleet console §31)."""

from __future__ import annotations

import asyncio
import json
import logging
import time
from collections.abc import Callable
from typing import Any

from pharos_agent import __version__, inventory
from pharos_agent.frames import encode, timestamp
from pharos_agent.handlers import handle
from pharos_agent.parts import Parts
from pharos_agent.sampler import uptime_s
from websockets.asyncio.client import ClientConnection, connect

log = logging.getLogger(__name__)

BATCH = 20  # samples sent before the server must confirm them
MAX_MESSAGE_BYTES = 1024 * 1024
LOGS_PAUSE_S = 0.1


class _Connect(connect):
    def process_redirect(self, exc: Exception) -> Exception:
        """A redirect is an error: the key must not follow it to another place."""
        return exc


class Session:
    """Speaks for one instance until the connection ends."""

    def __init__(self, parts: Parts, *, on_open: Callable[[], None]) -> None:
        self._config, self._outbox, self._parts = parts.config, parts.outbox, parts
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
            self._outbox.following.reset()
            self._on_open()
            log.info("connected to %s as %s", config.url, config.instance_id)
            self._parts.opened(connection)
            try:
                await _until_first_ends(
                    self._heartbeats(connection),
                    self._samples(connection),
                    self._logs(connection),
                    self._answers(connection),
                )
            finally:
                self._parts.lost(connection)

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
        await self._confirmation(connection)
        self._outbox.backlog.confirm(upto)
        if len(self._outbox.backlog):
            pace_s = len(samples) / self._config.replay_samples_per_s
            await asyncio.sleep(max(0.0, pace_s - (time.monotonic() - started)))

    async def _logs(self, connection: ClientConnection) -> None:
        """Send waiting lines, the oldest first; they are forgotten once a pong shows that the server has read them."""
        buffer = self._outbox.following.buffer
        while True:
            buffer.changed.clear()
            while len(buffer):
                upto, dropped, frame = buffer.frame(self._config.instance_id)
                await connection.send(frame)
                await self._confirmation(connection)
                buffer.confirm(upto, dropped)
            await buffer.changed.wait()
            await asyncio.sleep(LOGS_PAUSE_S)  # so that lines that come one by one travel together

    async def _confirmation(self, connection: ClientConnection) -> None:
        """Wait until the server has read what was sent. Raises TimeoutError.

        Not `asyncio.wait_for`: before Python 3.12 it can swallow a cancellation that meets the pong.
        """
        pong = asyncio.ensure_future(await connection.ping())
        done, _ = await asyncio.wait([pong], timeout=self._config.confirm_timeout_s)
        if not done:
            raise asyncio.TimeoutError
        pong.result()

    async def _answers(self, connection: ClientConnection) -> None:
        while True:  # until the connection closes, which raises
            message = await connection.recv()
            try:
                frame = json.loads(message)
            except (ValueError, RecursionError):
                log.warning("the server sent something that is not JSON")
                continue
            if isinstance(frame, dict):
                await handle(self._parts, frame)

    async def _send(self, connection: ClientConnection, kind: str, payload: dict[str, Any]) -> None:
        await connection.send(encode(kind, {"instance_id": self._config.instance_id, **payload}))


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
