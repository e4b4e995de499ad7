"""Telling the server what is installed: soon after the start, when it changed, once a day, and when asked."""

from __future__ import annotations

import asyncio
import hashlib
import json
import logging
import os
import sys
import time
from collections.abc import Awaitable, Callable, Iterator
from typing import Any

from pharos_agent.config import Config
from pharos_agent.frames import MAX_ANSWER_BYTES, compact
from pharos_agent.running import base_environment

log = logging.getLogger(__name__)

TIMEOUT_S = 180.0
KILLED_WITHIN_S = 1.0
RETRY_S = 60.0  # while there is no connection
RESEND_S = 24 * 3600.0
PART_BYTES = 600 * 1024  # of packages in a frame, so that keys and notes have room beside them
MOST_BYTES = 16 * 1024 * 1024  # of what the collecting process may print

Send = Callable[..., Awaitable[bool]]


class Stocktaking:
    """Lets a process of its own collect, so that neither its time nor its memory weighs on the agent."""

    def __init__(self, config: Config, send: Send, *, is_connected: Callable[[], bool]) -> None:
        self._config, self._send, self._is_connected = config, send, is_connected
        self._asked = asyncio.Event()
        self._sent, self._sent_at = "", 0.0

    def ask(self) -> None:
        """Look now, and send what is found even if it was sent before."""
        self._asked.set()

    async def run(self) -> None:
        """Look again and again, until cancelled."""
        pause_s = self._config.first_inventory_s
        while True:
            asked = asyncio.ensure_future(self._asked.wait())
            try:
                await asyncio.wait([asked], timeout=pause_s)
            finally:
                asked.cancel()
            pause_s = self._config.inventory_s if await self._report() else RETRY_S

    async def _report(self) -> bool:
        """Look, and send what is new; False when it has to be tried again soon."""
        if not self._config.inventory:
            self._asked.clear()
            return True
        if not self._is_connected():
            return False
        must = self._asked.is_set()
        self._asked.clear()
        found = await collected()
        if found is None:
            return True
        digest = hashlib.sha256(compact(found).encode()).hexdigest()
        if not must and digest == self._sent and time.monotonic() - self._sent_at < RESEND_S:
            return True
        for payload in payloads(found):
            if not await self._send("inventory", payload, most_bytes=MAX_ANSWER_BYTES):
                return False
        self._sent, self._sent_at = digest, time.monotonic()
        return True


def payloads(found: dict[str, Any]) -> Iterator[dict[str, Any]]:
    """What was found as bodies of frames; several when it is much. Keys and notes come with the last."""
    groups: list[list[Any]] = [[]]
    size = 0
    for package in found["packages"]:
        own = len(compact(package).encode()) + 1
        size += own
        if size > PART_BYTES:
            groups.append([])
            size = own
        groups[-1].append(package)
    for number, packages in enumerate(groups, 1):
        part = {"part": {"number": number, "count": len(groups)}} if len(groups) > 1 else {}
        rest = {"ssh_keys": found["ssh_keys"], "notes": found["notes"]} if number == len(groups) else {}
        yield {"packages": packages, **part, **rest}


async def collected() -> dict[str, Any] | None:
    """What `python -m pharos_agent.installed` found; None when it failed, which is in the log."""
    environment = base_environment(os.environ)
    if "PYTHONPATH" in os.environ:
        environment["PYTHONPATH"] = os.environ["PYTHONPATH"]
    try:
        process = await asyncio.create_subprocess_exec(
            sys.executable, "-m", "pharos_agent.installed", env=environment,
            stdin=asyncio.subprocess.DEVNULL, stdout=asyncio.subprocess.PIPE, stderr=asyncio.subprocess.DEVNULL,
        )  # fmt: skip
    except OSError as exc:
        log.warning("what is installed could not be listed: %s", exc.strerror)
        return None
    working = asyncio.ensure_future(_output(process))
    try:
        await asyncio.wait([working], timeout=TIMEOUT_S)
        if not working.done():
            raise ValueError(f"it did not end within {TIMEOUT_S:g} s")
        return json.loads(working.result())
    except ValueError as exc:
        log.warning("what is installed could not be listed: %s", exc)
        return None
    finally:
        working.cancel()
        if process.returncode is None:
            process.kill()
            await asyncio.wait([asyncio.ensure_future(process.wait())], timeout=KILLED_WITHIN_S)


async def _output(process: asyncio.subprocess.Process) -> bytes:
    """All that it prints. Raises ValueError when that is too much, or when it fails."""
    assert process.stdout  # noqa: S101 - it is a pipe
    chunks, size = [], 0
    while chunk := await process.stdout.read(64 * 1024):
        size += len(chunk)
        if size > MOST_BYTES:
            raise ValueError("there is more than can be sent")
        chunks.append(chunk)
    if code := await process.wait():
        raise ValueError(f"the process ended with code {code}")
    return b"".join(chunks)
