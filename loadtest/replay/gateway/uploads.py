"""Exchanges on their way to Pharos: a bounded queue, sent in the background, flushed before the end."""

import asyncio
import contextlib
import logging
from collections import deque
from dataclasses import dataclass

from loadtest.replay.gateway.control import Control, Unavailable
from loadtest.replay.spans.exchange import Body, Exchange

MOST = 2_000  # exchanges waiting
MOST_BYTES = 64 << 20
BATCH_FROM = 16  # with fewer waiting each exchange is an upload, and so a trace, of its own
BATCH, BATCH_BYTES = 64, 4 << 20
PAUSES_S = (0.2, 1.0, 3.0)  # before the next try
TELL_EVERY_S = 10.0

log = logging.getLogger("pharos.gateway")


@dataclass
class Count:
    """Exchanges so far."""

    uploaded: int = 0
    dropped: int = 0  # the queue was full, or Pharos could not be reached
    refused: int = 0  # Pharos did not want them: an unknown session, too large


class Uploads:
    """`put` never waits; `run` sends, one upload after the other, so that Pharos gets them in order."""

    def __init__(self, control: Control, *, most: int = MOST, most_bytes: int = MOST_BYTES) -> None:
        self._control, self._most, self._most_bytes = control, most, most_bytes
        self._waiting: deque[tuple[Exchange, int]] = deque()
        self._bytes = 0
        self._wake, self._idle = asyncio.Event(), asyncio.Event()
        self._idle.set()
        self._told_at = float("-inf")
        self.count = Count()

    def put(self, exchange: Exchange) -> None:
        """Take an exchange; it is dropped and counted when too much waits already."""
        size = _size(exchange)
        if len(self._waiting) >= self._most or self._bytes + size > self._most_bytes:
            self._lose(1, "too many are waiting")
            return
        self._waiting.append((exchange, size))
        self._bytes += size
        self._idle.clear()
        self._wake.set()

    async def run(self) -> None:
        """Send for ever."""
        while True:
            await self._wake.wait()
            batch = self._next()
            if not batch:
                self._wake.clear()
                self._idle.set()
                continue
            await self._send(batch)

    async def flush(self, within_s: float) -> bool:
        """Wait until nothing waits any more; False when that took too long, and then what is left is dropped."""
        try:
            async with asyncio.timeout(within_s):
                await self._idle.wait()
        except TimeoutError:
            self._lose(max(1, len(self._waiting)), "the gateway ends")
            return False
        return True

    def _next(self) -> list[Exchange]:
        most = BATCH if len(self._waiting) >= BATCH_FROM else 1
        batch: list[Exchange] = []
        taken = 0
        while self._waiting and len(batch) < most:
            exchange, size = self._waiting[0]
            if batch and (exchange.session_id != batch[0].session_id or taken + size > BATCH_BYTES):
                break
            self._waiting.popleft()
            batch.append(exchange)
            taken += size
        self._bytes -= taken
        return batch

    async def _send(self, batch: list[Exchange]) -> None:
        why = ""
        for pause_s in (*PAUSES_S, None):
            with contextlib.suppress(Unavailable):
                status = await self._control.report(batch)
                if status < 300:
                    self.count.uploaded += len(batch)
                    return
                why = f"Pharos answered {status}"
                if status < 500 and status != 429:
                    self.count.refused += len(batch)
                    self._tell(f"Pharos refused {len(batch)} exchanges: {status}")
                    return
            if pause_s is not None:
                await asyncio.sleep(pause_s)
        self._lose(len(batch), why or "Pharos cannot be reached")

    def _lose(self, number: int, why: str) -> None:
        self.count.dropped += number
        self._tell(f"Exchanges are not captured, {self.count.dropped} so far: {why}")

    def _tell(self, sentence: str) -> None:
        now = asyncio.get_running_loop().time()
        if now - self._told_at >= TELL_EVERY_S:
            self._told_at = now
            log.warning(sentence)


def _size(exchange: Exchange) -> int:
    """Roughly what it takes in memory."""
    response = exchange.response
    headers = (*exchange.headers, *(response.headers if response else ()))
    bodies = (exchange.body, response.body if response else None)
    return 1000 + sum(len(name) + len(value) for name, value in headers) + sum(map(_length, bodies))


def _length(body: Body | None) -> int:
    return len(body.text) if body else 0
