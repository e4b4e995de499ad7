"""What the replay gateway costs: CPU of its process for a request, and the latency that it adds.

Called by `make bench NAME=replay`. The gateway is a process of its own, as users start it; a small server answers 200
with 1 KiB. Rounds of direct and passed-on requests take turns. "A core" is one second of the gateway's own user and
system time, so other work on the machine does not count.
"""

import asyncio
import os
import re
import signal
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from statistics import median

import psutil

from benchmarks import _load
from benchmarks._stack import cpu_of

ROUNDS, SECONDS = 5, 2.0
CLIENTS = 16
MOST_ADDED_MS, LEAST_PER_S = 1.5, 2_000.0
BODY = b"x" * 1024
ANSWER = b"HTTP/1.1 200 OK\r\nContent-Type: text/plain\r\nContent-Length: 1024\r\n\r\n" + BODY
HEADERS = "Host: 127.0.0.1\r\nUser-Agent: bench\r\nAccept: */*\r\nAccept-Encoding: gzip\r\nX-Request-Id: 7f3a\r\n"


class _Upstream(asyncio.Protocol):
    """Answers each request, which comes in one piece."""

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = transport

    def data_received(self, data: bytes) -> None:
        self._transport.write(ANSWER * data.count(b"\r\n\r\n"))  # type: ignore[attr-defined]


def _request(session: str = "") -> bytes:
    header = f"x-softprobe-session-id: {session}\r\n" if session else ""
    return f"GET /orders/17?full=1 HTTP/1.1\r\n{HEADERS}{header}\r\n".encode()


@contextmanager
def started(upstream: str, *options: str) -> Iterator[tuple[int, psutil.Process]]:
    """`pharos gateway` in front of an upstream: its port and its process."""
    command = [sys.executable, "-c", "from config.cli import main; main()", "gateway"]
    command += ["--listen", "127.0.0.1:0", "--to", upstream, *options]
    with tempfile.TemporaryFile("w+") as told:
        process = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=told, text=True, env=os.environ)
        try:
            said = ""
            for line in process.stdout or ():
                said += line
                if line.startswith("Ready"):
                    break
            port = re.search(r"http://127\.0\.0\.1:(\d+)  stands", said)
            if not port:
                told.seek(0)
                raise SystemExit(f"The gateway did not start: {said}{told.read()}")
            yield int(port[1]), psutil.Process(process.pid)
        finally:
            process.send_signal(signal.SIGTERM)
            process.communicate(timeout=30)


async def _compare(options: tuple[str, ...], session: str) -> tuple[float, float, float]:
    """Added p50 in ms at one client, requests for a second of the gateway's CPU, and as counted by the clock."""
    loop = asyncio.get_running_loop()
    server = await loop.create_server(_Upstream, "127.0.0.1", 0)
    upstream = server.sockets[0].getsockname()[1]
    added, per_core, per_s = [], [], []
    with started(f"http://127.0.0.1:{upstream}", *options) as (port, process):
        plain = lambda: _request(session)  # noqa: E731
        for _ in range(ROUNDS):
            direct = await _load.http("direct", upstream, [plain], seconds=SECONDS / 2, cpu_s=lambda: 0.0)
            alone = await _load.http("gateway", port, [plain], seconds=SECONDS / 2, cpu_s=lambda: 0.0)
            added.append(1e3 * (alone.quantile(0.5) - direct.quantile(0.5)))
            busy = await _load.http("gateway", port, [plain] * CLIENTS, seconds=SECONDS, cpu_s=lambda: cpu_of(process))
            if busy.refused:
                raise SystemExit(f"{busy.refused} requests were not answered with 200")
            per_core.append(len(busy.latencies) / busy.cpu_s)
            per_s.append(busy.per_s)
    server.close()
    return median(added), median(per_core), median(per_s)


def measure(*options: str, session: str = "", name: str = "gateway, no session") -> None:
    """Print the figures of one shape. `options` are those of `pharos gateway`, `session` the one requests name."""
    added_ms, per_core, per_s = asyncio.run(_compare(options, session))
    bars = ("", "") if session else (f" (at most {MOST_ADDED_MS})", f" (at least {LEAST_PER_S:,.0f})")
    print(f"{name}: adds {added_ms:.2f} ms p50 at one client{bars[0]}")
    print(f"{name}: {per_core:,.0f} requests for a core{bars[1]}; {per_s:,.0f}/s by the clock, {CLIENTS} clients")


if __name__ == "__main__":
    measure()
