"""What it costs to tell many browsers the same: Pharos against the stock channel layer, 5,000 WebSockets each.

Everything runs on this machine: PostgreSQL, Redis, one uvicorn process, and the clients in another. A message a second
is published to Redis as the product does, and to the stock in-memory layer within the server. "CPU µs" is user and
system time of the server and Redis for one delivery, with the sockets' own share; "without writing" leaves out what
one delivery on a bare socket costs. Latency goes from publishing to the client's own clock.
"""

import asyncio
import os
import resource
import time
from collections.abc import Callable
from dataclasses import dataclass, field

from benchmarks import _stack

CLIENTS = int(os.environ.get("CLIENTS", "5000"))
MESSAGES = int(os.environ.get("MESSAGES", "10"))
EVERY_S = 1.0
PATIENCE_S = 120.0


@dataclass
class Phase:
    """What one way of telling did."""

    name: str
    delays: list[float] = field(default_factory=list)
    cpu_s: float = 0.0
    memory_mb: float = 0.0

    @property
    def cpu_us(self) -> float:
        return 1e6 * self.cpu_s / len(self.delays)

    def line(self) -> str:
        p50, p99 = (1e3 * sorted(self.delays)[int(share * (len(self.delays) - 1))] for share in (0.5, 0.99))
        share = 100 * len(self.delays) / (CLIENTS * MESSAGES)
        return f"{self.name:<34}{share:>10.1f} %{p50:>10.0f}{p99:>10.0f}{self.cpu_us:>10.1f}{self.memory_mb:>12.1f}"


HEADER = f"{'':<34}{'delivered':>12}{'p50 ms':>10}{'p99 ms':>10}{'CPU µs':>10}{'KB a socket':>12}"


def payload(number: int) -> dict:
    """An alert as the console's frontend gets it."""
    return {
        "id": f"c{number:024d}", "ruleId": "c" * 25, "instanceId": None, "severity": "HIGH", "status": "ACTIVE",
        "type": "THRESHOLD", "title": "CPU above 90 %", "message": "cpu_pct is 97.2 on web-1, the limit is 90",
        "firedAt": "2026-01-01T00:00:00.000Z", "sentAt": time.time(),
    }  # fmt: skip


async def run(server: _stack.Server, name: str, path: str, key: str, tell: Callable) -> Phase:
    """All clients connect, hear every message, and leave."""
    from benchmarks._fanout.clients import connect

    phase, before = Phase(name), server.process.memory_info().rss
    clients = await connect(server.port, path, key, CLIENTS, phase.delays)
    await asyncio.sleep(1)
    phase.memory_mb = (server.process.memory_info().rss - before) / CLIENTS / 1024
    cpu = _cpu_s(server)
    for number in range(MESSAGES):
        sent_at = time.monotonic()
        await tell(clients[0], payload(number))
        while len(phase.delays) < (number + 1) * CLIENTS and time.monotonic() < sent_at + PATIENCE_S:
            await asyncio.sleep(0.02)
        await asyncio.sleep(max(0.0, sent_at + EVERY_S - time.monotonic()))
    phase.cpu_s = _cpu_s(server) - cpu
    if lost := sum(client.is_lost for client in clients):
        raise SystemExit(f"{lost} sockets were closed")
    for client in clients:
        client.transport.close()
    await asyncio.sleep(2)
    return phase


def _cpu_s(server: _stack.Server) -> float:
    return server.cpu_s() - (_stack.cpu_of(server.database) if server.database else 0.0)


async def ours(_: object, message: dict) -> None:
    from config import live

    event = {"kind": "fired", "instanceId": None, "teamId": None, "payload": message}
    await asyncio.to_thread(live.publish, "alerts", event)


async def stock(client: object, message: dict) -> None:
    import msgspec

    client.send(msgspec.json.encode(message))  # type: ignore[attr-defined]


async def measure(server: _stack.Server, key: str) -> tuple[Phase, Phase]:
    return (
        await run(server, "stock in-memory channel layer", "/stock", key, stock),
        await run(server, "Pharos", "/ws", key, ours),
    )


def main() -> None:
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (min(hard, CLIENTS + 1000), hard))
    _stack.prepare("benchmarks._fanout.settings")
    from security.keys.services import create_service_key

    key = create_service_key(name="benchmark", role="VIEWER")[1]
    with _stack.server("benchmarks._fanout.asgi:application", "benchmarks._fanout.settings") as server:
        yardstick, pharos = asyncio.run(measure(server, key))
    print(f"\n{CLIENTS} sockets, {MESSAGES} messages, one a second (or when the last one has arrived)\n{HEADER}")
    print(yardstick.line())
    print(pharos.line())
    print(f"\nCPU for one delivery, stock / Pharos: {yardstick.cpu_us / pharos.cpu_us:5.1f}x")


if __name__ == "__main__":
    main()
