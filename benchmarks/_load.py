"""Clients that send as fast as they are answered."""

import asyncio
import time
from collections.abc import Callable
from dataclasses import dataclass, field


@dataclass
class Result:
    """What a phase measured; latencies in seconds."""

    name: str
    latencies: list[float] = field(default_factory=list)
    refused: int = 0
    seconds: float = 0.0
    cpu_s: float = 0.0

    @property
    def per_s(self) -> float:
        return len(self.latencies) / self.seconds

    @property
    def cpu_us(self) -> float:
        """CPU microseconds for one accepted heartbeat."""
        return 1e6 * self.cpu_s / len(self.latencies)

    def quantile(self, share: float) -> float:
        return sorted(self.latencies)[min(len(self.latencies) - 1, int(share * len(self.latencies)))]

    def line(self) -> str:
        return (
            f"{self.name:<46}{self.per_s:>9.0f}/s{1e3 * self.quantile(0.5):>9.1f}"
            f"{1e3 * self.quantile(0.99):>9.1f}{self.cpu_us:>11.0f}{self.refused:>9}"
        )


HEADER = f"{'':<46}{'accepted':>11}{'p50 ms':>9}{'p99 ms':>9}{'CPU µs':>11}{'refused':>9}"


class _HttpClient(asyncio.Protocol):
    """One kept connection, one request at a time."""

    def __init__(
        self, request: Callable[[], bytes], result: Result, end: float, done: asyncio.Future, accepted: bytes
    ) -> None:
        self._request, self._result, self._end, self._done = request, result, end, done
        self._accepted = accepted
        self._buffer = b""

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = transport
        self._send()

    def _send(self) -> None:
        self._buffer, self._sent_at = b"", time.perf_counter()
        self._transport.write(self._request())  # type: ignore[attr-defined]

    def data_received(self, data: bytes) -> None:
        self._buffer += data
        head, found, body = self._buffer.partition(b"\r\n\r\n")
        if not found:
            return
        length = int(head.lower().partition(b"content-length:")[2].split(b"\r\n")[0])
        if len(body) < length:
            return
        if self._buffer[9:10] in self._accepted:
            self._result.latencies.append(time.perf_counter() - self._sent_at)
        else:
            self._result.refused += 1
        if time.perf_counter() < self._end:
            self._send()
        else:
            self._transport.close()

    def connection_lost(self, error: Exception | None) -> None:
        if not self._done.done():
            self._done.set_result(None)


async def http(
    name: str,
    port: int,
    requests: list[Callable[[], bytes]],
    *,
    seconds: float,
    cpu_s: Callable[[], float],
    accepted: bytes = b"2",
) -> Result:
    """One connection for each maker of requests, each sending the next when the last is answered.

    `accepted` holds the first digits of statuses that count as an answer.
    """
    loop, result = asyncio.get_running_loop(), Result(name)
    before, started = cpu_s(), time.perf_counter()
    ends = []
    for request in requests:
        done = loop.create_future()
        await loop.create_connection(
            lambda request=request, done=done: _HttpClient(request, result, started + seconds, done, accepted),
            "127.0.0.1",
            port,
        )
        ends.append(done)
    async with asyncio.timeout(seconds + 20):
        await asyncio.gather(*ends)
    result.seconds, result.cpu_s = time.perf_counter() - started, cpu_s() - before
    return result
