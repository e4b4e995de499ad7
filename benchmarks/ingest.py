"""What a connected fleet of agents costs: CPU and memory of 10,000 agents that send a frame of figures each 30 s.

`make bench NAME=ingest`, or `scripts/bench ingest AGENTS SECONDS` for other sizes. Each agent has a key and a socket of
its own. After a first round of frames everything that the server, PostgreSQL with fsync and Redis do is counted, user
and system time: frames, pings, looks whether the keys still stand, what goes out live. All of it and the agents share
this machine. Where fewer files may be open than agents are asked for, there are fewer agents, and the share of a core
is reckoned up to 10,000.
"""

import asyncio
import resource
import sys
import time

import msgspec
from websockets.asyncio.client import ClientConnection, connect

from benchmarks import _stack
from benchmarks.heartbeats import payload, stored

AGENTS, INTERVAL_S, SECONDS = 10_000, 30.0, 30.0
SPARE_FILES = 100
AT_ONCE = 50  # connections under way
SETTLE_S = 3.0
MOST_CPU, MOST_BYTES = 0.15, 40 * 1024


def fleet(count: int) -> list[tuple[str, str]]:
    """Instances, and the key of each one's agent."""
    from fleet.instances.models import Instance
    from security.keys.models import ApiKey
    from security.keys.services import digest_of, shared_agent

    made = Instance.objects.bulk_create(
        Instance(name=f"bench-{number}", provider="ssh", status="RUNNING") for number in range(count)
    )
    keys, owner = [f"sk-{number:048x}" for number in range(count)], shared_agent().user
    ApiKey.objects.bulk_create(
        ApiKey(user=owner, name=one.name, key_prefix=key[:10], digest=digest_of(key), instance_id=one.pk)
        for one, key in zip(made, keys, strict=True)
    )
    return [(one.pk, key) for one, key in zip(made, keys, strict=True)]


async def opened(port: int, agents: list[tuple[str, str]]) -> list[ClientConnection]:
    gate = asyncio.Semaphore(AT_ONCE)

    async def one(instance_id: str, key: str) -> ClientConnection:
        headers = {"Authorization": f"Bearer {key}", "X-Instance-ID": instance_id}
        async with gate:
            return await connect(
                f"ws://127.0.0.1:{port}/ws/agent",
                additional_headers=headers,
                compression=None,
                ping_interval=None,
                open_timeout=60,
            )

    return list(await asyncio.gather(*(one(*agent) for agent in agents)))


async def drain(socket: ClientConnection) -> None:
    async for _ in socket:
        pass


async def send(sockets: list[ClientConnection], seconds: float) -> int:
    """A frame of each socket each `INTERVAL_S`, one socket after the other; how many."""
    gap, sent, started = INTERVAL_S / len(sockets), 0, time.perf_counter()
    while (passed := time.perf_counter() - started) < seconds:
        while sent < passed / gap:
            frame = {"protocol_version": "1.0", "type": "metrics", "payload": payload()}
            await sockets[sent % len(sockets)].send(msgspec.json.encode(frame).decode())
            sent += 1
        await asyncio.sleep(0.01)
    return sent


async def measure(server: _stack.Server, agents: list[tuple[str, str]], seconds: float) -> tuple[float, float, int]:
    """Bytes a connection, cores in use, frames."""
    first = await opened(server.port, agents[:AT_ONCE])  # what any first connection costs is not counted
    await asyncio.sleep(SETTLE_S)
    before = server.process.memory_info().rss
    sockets = first + await opened(server.port, agents[AT_ONCE:])
    readers = [asyncio.create_task(drain(socket)) for socket in sockets]
    rows = await asyncio.to_thread(stored)
    rows += await send(sockets, INTERVAL_S)
    cpu, started = server.cpu_s(), time.perf_counter()
    sent = await send(sockets, seconds)
    busy = (server.cpu_s() - cpu) / (time.perf_counter() - started)
    size = (server.process.memory_info().rss - before) / (len(sockets) - len(first))
    await arrived(rows + sent)
    for reader in readers:
        reader.cancel()
    await asyncio.gather(*(socket.close() for socket in sockets))
    return size, busy, sent


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
    made = fleet(count)
    with _stack.server() as server:
        size, busy, sent = asyncio.run(measure(server, made, float(seconds)))
    share = busy * AGENTS / count
    print(f"\n{count} sockets, {sent} frames in {seconds} s, all of them stored")
    print(f"CPU a frame, everything included:     {1e6 * busy * float(seconds) / sent:8.0f} µs")
    told = f"{AGENTS} agents, a frame each {INTERVAL_S:g} s:"
    print(f"{told:38}{100 * share:8.1f} % of a core (at most {100 * MOST_CPU:g} %)")
    print(f"Memory of a connection:               {size / 1024:8.1f} KiB (at most {MOST_BYTES // 1024} KiB)")


if __name__ == "__main__":
    main(*sys.argv[1:])
