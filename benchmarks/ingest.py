"""What a connected fleet of agents costs: CPU for a frame, memory for a connection, and both for 10,000 agents.

`make bench NAME=ingest`, or `scripts/bench ingest AGENTS SECONDS` for other sizes. Each agent has a socket and sends a
frame of figures each 30 s, as ours does; with fewer than 10,000 sockets they send more often, so that as many frames
come as from 10,000. PostgreSQL with fsync, Redis, one uvicorn process and the agents share this machine. "CPU" is user
and system time of the server, PostgreSQL and Redis, without the agents, less what they spend while nobody sends.
"""

import asyncio
import resource
import sys
import time

import msgspec
from websockets.asyncio.client import ClientConnection, connect

from benchmarks import _stack
from benchmarks.heartbeats import payload, stored

FLEET, INTERVAL_S = 10_000, 30.0
AGENTS, SECONDS = 2_000, 30.0
SPARE_FILES = 100
AT_ONCE = 50  # connections under way
SETTLE_S = 3.0
MOST_CPU, MOST_BYTES = 0.15, 40 * 1024


def instances(count: int) -> tuple[list[str], str]:
    from fleet.instances.models import Instance
    from security.keys.services import create_service_key

    made = Instance.objects.bulk_create(
        Instance(name=f"bench-{number}", provider="ssh", status="RUNNING") for number in range(count)
    )
    return [one.pk for one in made], create_service_key(name="benchmark", role="ADMIN")[1]


async def opened(port: int, key: str, ids: list[str]) -> list[ClientConnection]:
    gate = asyncio.Semaphore(AT_ONCE)

    async def one(instance_id: str) -> ClientConnection:
        headers = {"Authorization": f"Bearer {key}", "X-Instance-ID": instance_id}
        async with gate:
            return await connect(
                f"ws://127.0.0.1:{port}/ws/agent",
                additional_headers=headers,
                compression=None,
                ping_interval=None,
                open_timeout=60,
            )

    return list(await asyncio.gather(*(one(instance_id) for instance_id in ids)))


async def drain(socket: ClientConnection) -> None:
    async for _ in socket:
        pass


async def send(sockets: list[ClientConnection], seconds: float) -> int:
    """Frames at the rate of the whole fleet, one socket after the other; how many."""
    gap, sent, started = INTERVAL_S / FLEET, 0, time.perf_counter()
    while (passed := time.perf_counter() - started) < seconds:
        while sent < passed / gap:
            frame = {"protocol_version": "1.0", "type": "metrics", "payload": payload()}
            await sockets[sent % len(sockets)].send(msgspec.json.encode(frame).decode())
            sent += 1
        await asyncio.sleep(0.01)
    return sent


async def measure(server: _stack.Server, ids: list[str], key: str, seconds: float) -> tuple[float, float, float, int]:
    """Bytes a connection, CPU share while nobody sends and while all do, frames."""
    first = await opened(server.port, key, ids[:AT_ONCE])  # what any first connection costs is not counted
    await asyncio.sleep(SETTLE_S)
    before = server.process.memory_info().rss
    sockets = first + await opened(server.port, key, ids[AT_ONCE:])
    readers = [asyncio.create_task(drain(socket)) for socket in sockets]
    await asyncio.sleep(SETTLE_S)
    idle_cpu, idle_at = server.cpu_s(), time.perf_counter()
    await asyncio.sleep(SETTLE_S)
    idle = (server.cpu_s() - idle_cpu) / (time.perf_counter() - idle_at)
    cpu, started, rows = server.cpu_s(), time.perf_counter(), await asyncio.to_thread(stored)
    sent = await send(sockets, seconds)
    took = time.perf_counter() - started
    busy = (server.cpu_s() - cpu) / took
    size = (server.process.memory_info().rss - before) / (len(sockets) - len(first))
    await arrived(rows + sent)
    for reader in readers:
        reader.cancel()
    await asyncio.gather(*(socket.close() for socket in sockets))
    return size, idle, busy, sent


async def arrived(rows: int) -> None:
    end = time.perf_counter() + 20
    while (found := await asyncio.to_thread(stored)) < rows:
        if time.perf_counter() > end:
            raise SystemExit(f"{rows} frames were sent, {found} are in the database")
        await asyncio.sleep(0.2)


def main(agents: str = str(AGENTS), seconds: str = str(SECONDS)) -> None:
    _, most = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (most, most))
    count = min(int(agents), most - SPARE_FILES) if most > 0 else int(agents)
    _stack.prepare()
    ids, key = instances(count)
    with _stack.server() as server:
        size, idle, busy, sent = asyncio.run(measure(server, ids, key, float(seconds)))
    cpu_s = max(0.0, busy - idle) * float(seconds) / sent
    share = cpu_s * FLEET / INTERVAL_S
    print(f"\n{count} sockets, {sent} frames in {seconds} s, all of them stored")
    print(f"CPU for a frame:                      {1e6 * cpu_s:8.0f} µs")
    print(
        f"{FLEET} agents, a frame each {INTERVAL_S:g} s:  {100 * share:8.1f} % of a core (at most {100 * MOST_CPU:g} %)"
    )
    print(f"Memory of a connection:               {size / 1024:8.1f} KiB (at most {MOST_BYTES // 1024} KiB)")
    print(f"CPU while nobody sends:               {100 * idle:8.1f} % of a core")


if __name__ == "__main__":
    main(*sys.argv[1:])
