"""Commands that the server sends: run, told of while they run, and reported until the server has it on disk.

A command goes on when the connection is lost. Its output and its result wait and go out with the next connection, as
long as the server may still want them. The server confirms each piece (`command:received`); what it does not confirm
is sent again (contract: fleet console §31.4, §31.5).
"""

from __future__ import annotations

import asyncio
import logging
import time
from collections import OrderedDict
from collections.abc import Awaitable, Callable, Iterator
from functools import partial
from itertools import count
from typing import Any

from pharos_agent.running import NOT_ALLOWED, Ending, Order, Running

log = logging.getLogger(__name__)

AT_ONCE = 8
REMEMBERED = 1000
TIMEOUT_S, LEAST_TIMEOUT_S, MOST_TIMEOUT_S = 30.0, 1.0, 300.0
KEPT_S = 300.0  # how long a result is worth sending
AGAIN_S = 10.0
MOST_WAITING_BYTES = 32 * 1024 * 1024
OFF = "commands are switched off on this machine (PHAROS_AGENT_COMMANDS)"

Send = Callable[[str, dict[str, Any]], Awaitable[bool]]


class Commands:
    """What runs for the server, and what it has not confirmed yet."""

    def __init__(self, *, allowed: bool, send: Send) -> None:
        self._allowed, self._send = allowed, send
        self._running: dict[str, Running] = {}
        self._tasks: set[asyncio.Task[None]] = set()
        self._known: OrderedDict[str, None] = OrderedDict()
        self._waiting: OrderedDict[tuple[str, int], tuple[float, str, dict[str, Any]]] = OrderedDict()
        self._waiting_bytes = 0
        self._confirms = False  # whether this server tells what it has
        self._again: asyncio.Task[None] | None = None

    def opened(self) -> None:
        """A connection is open: what waits goes out, now and again until it is confirmed."""
        self.lost()
        self._again = asyncio.ensure_future(self._send_again())

    def lost(self) -> None:
        if self._again:
            self._again.cancel()
            self._again = None

    async def close(self) -> None:
        """The agent stops: no command is left behind."""
        self.lost()
        for running in self._running.values():
            running.kill()
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)

    def dispatch(self, body: dict[str, Any]) -> None:
        """Begin a command, once; what cannot be run has its result at once."""
        command_id = body.get("command_id")
        if not isinstance(command_id, str) or not 0 < len(command_id) <= 128 or command_id in self._known:
            return
        self._known[command_id] = None
        if len(self._known) > REMEMBERED:
            self._known.popitem(last=False)
        order = order_of(body)
        if not self._allowed:
            refusal = OFF
        elif order is None:
            refusal = "the server's message is no command"
        elif len(self._running) >= AT_ONCE:
            refusal = f"{AT_ONCE} commands run on this machine already"
        else:
            numbers = count()
            running = self._running[command_id] = Running(order, partial(self._print, command_id, numbers))
            self._spawn(self._run(command_id, running, numbers))
            return
        self._spawn(self._report(command_id, 0, Ending(NOT_ALLOWED, 0, error=refusal)))

    def cancel(self, command_id: str) -> None:
        if running := self._running.get(command_id):
            running.cancel()

    def received(self, command_id: str, sequence: Any) -> None:
        """The server has it: it need not be sent again."""
        self._confirms = True
        if isinstance(sequence, int) and (kept := self._waiting.pop((command_id, sequence), None)):
            self._waiting_bytes -= _size(kept[2])

    def _spawn(self, work: Any) -> None:
        task = asyncio.ensure_future(work)
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    async def _run(self, command_id: str, running: Running, numbers: Iterator[int]) -> None:
        log.info("command %s: started", command_id)
        try:
            ending = await running.run()
        finally:
            del self._running[command_id]
        log.info("command %s: ended with exit code %d after %d ms", command_id, ending.exit_code, ending.duration_ms)
        await self._report(command_id, next(numbers), ending)

    async def _print(self, command_id: str, numbers: Iterator[int], stream: str, text: str) -> None:
        number = next(numbers)
        piece = {"command_id": command_id, "stream": stream, "sequence": number, "data": text}
        await self._tell(command_id, number, "command:output", piece)

    async def _report(self, command_id: str, sequence: int, ending: Ending) -> None:
        result = {
            "command_id": command_id,
            "sequence": sequence,
            "stdout": "",
            "stderr": ending.error,
            "exit_code": ending.exit_code,
            "duration_ms": ending.duration_ms,
            "streamed": not ending.error,
            "timed_out": ending.timed_out,
            "cancelled": ending.cancelled,
            "truncated": ending.truncated,
        }
        await self._tell(command_id, sequence, "command:result", result)

    async def _tell(self, command_id: str, sequence: int, kind: str, payload: dict[str, Any]) -> None:
        """Send it, and keep it until the server confirms it."""
        self._waiting[command_id, sequence] = time.monotonic(), kind, payload
        self._waiting_bytes += _size(payload)
        while self._waiting_bytes > MOST_WAITING_BYTES:
            self._drop_oldest()
        await self._send(kind, payload)

    async def _send_again(self) -> None:
        while True:
            oldest = time.monotonic() - KEPT_S
            while self._waiting and next(iter(self._waiting.values()))[0] < oldest:
                self._drop_oldest()
            for _, kind, payload in list(self._waiting.values()):
                await self._send(kind, payload)
            await asyncio.sleep(AGAIN_S)
            while not self._confirms:  # one that never does has had it all by now
                await asyncio.sleep(AGAIN_S)

    def _drop_oldest(self) -> None:
        _, (_, _, payload) = self._waiting.popitem(last=False)
        self._waiting_bytes -= _size(payload)


def order_of(body: dict[str, Any]) -> Order | None:
    """What a `command:dispatch` asks for; None when it is not understood."""
    words, env = [body.get("command"), *_list(body.get("args"))], _list(body.get("env"))
    timeout_ms, working_dir = body.get("timeout_ms", TIMEOUT_S * 1000), body.get("working_dir") or None
    if not all(isinstance(text, str) and "\x00" not in text for text in (*words, *env)) or not words[0]:
        return None
    if isinstance(timeout_ms, bool) or not isinstance(timeout_ms, (int, float)):
        return None
    if working_dir is not None and (not isinstance(working_dir, str) or "\x00" in working_dir):
        return None
    pairs = dict(pair.partition("=")[::2] for pair in env if not pair.startswith("=") and "=" in pair)
    timeout_s = min(max(timeout_ms / 1000, LEAST_TIMEOUT_S), MOST_TIMEOUT_S)
    return Order(words, pairs, working_dir, timeout_s)


def _list(value: Any) -> list[Any]:
    """Absent is empty; what is no list holds something that is no text."""
    return value if isinstance(value, list) else [] if value is None else [value, None]


def _size(payload: dict[str, Any]) -> int:
    return len(payload.get("data", "")) + 200
