"""How many heartbeats the product takes in, and what one costs, against a DRF serializer and an ORM save.

Everything runs on this machine: PostgreSQL with fsync, Redis, one uvicorn process, and the clients. "Accepted" is
answered after the commit over HTTP; over WebSockets it is acknowledged, and the clock stops when the last sample is
in the database. "CPU µs" is user and system time of the server, PostgreSQL and Redis, without the clients.
"""

import asyncio
import itertools
import time
from collections.abc import Callable
from datetime import UTC, datetime, timedelta

import msgspec

from benchmarks import _stack
from benchmarks._load import HEADER, Result, http

CONNECTIONS = 64
SECONDS = 7.0
WARM_UP_S = 1.0
FRAMES_AT_ONCE = 4  # that a socket sends before it waits for acknowledgements
_numbers = itertools.count()


def payload() -> dict:
    """A sample as the agent measures it."""
    return {
        "timestamp": moment(),
        "cpu": {
            "usage_percent": 23.4,
            "steal_percent": 0.1,
            "load_avg_1": 0.42,
            "load_avg_5": 0.38,
            "load_avg_15": 0.3,
            "core_count": 8,
            "per_core": [20.1, 25.2, 30.3, 18.4, 22.0, 24.9, 21.3, 25.0],
        },
        "memory": {
            "total_bytes": 16_777_216_000,
            "used_bytes": 9_663_676_416,
            "cached_bytes": 3_221_225_472,
            "swap_total_bytes": 2_147_483_648,
            "swap_used_bytes": 0,
        },
        "disk": [{"mount_point": "/", "device": "/dev/vda1", "total_bytes": 10**12, "used_bytes": 4 * 10**11}],
        "network": {
            "bytes_sent": 1_234_567_890,
            "bytes_recv": 9_876_543_210,
            "packets_sent": 12_345_678,
            "packets_recv": 23_456_789,
        },
    }


def flat_payload() -> dict:
    """The same figures by the names of the columns."""
    return {
        "ts": moment(),
        "cpu_pct": 23.4,
        "mem_pct": 57.6,
        "disk_pct": 40.0,
        "load1": 0.42,
        "load5": 0.38,
        "load15": 0.3,
        "mem_used": 9_663_676_416,
        "mem_total": 16_777_216_000,
        "mem_cached": 3_221_225_472,
        "swap_used": 0,
        "swap_total": 2_147_483_648,
        "disk_used": 4 * 10**11,
        "disk_total": 10**12,
        "net_tx": 1_234_567_890,
        "net_rx": 9_876_543_210,
        "extra": {"core_count": 8, "cpu_steal_pct": 0.1},
    }


def moment() -> str:
    """A moment that no other payload of this run has."""
    at = datetime.now(UTC) - timedelta(minutes=5) + timedelta(milliseconds=next(_numbers))
    return at.isoformat(timespec="milliseconds").replace("+00:00", "Z")


def request_to(path: str, key: str, body: Callable[[], dict]) -> Callable[[], bytes]:
    head = (
        f"POST {path} HTTP/1.1\r\nHost: 127.0.0.1\r\nAuthorization: Bearer {key}\r\n"
        "Content-Type: application/json\r\nContent-Length: "
    ).encode()

    def make() -> bytes:
        text = msgspec.json.encode(body())
        return head + str(len(text)).encode() + b"\r\n\r\n" + text

    return make


async def sockets(name: str, port: int, key: str, ids: list[str], seconds: float, cpu_s: Callable) -> Result:
    """Agents on sockets, each with a few frames under way; counts acknowledgements, then waits for the rows."""
    from websockets.asyncio.client import connect

    result, before = Result(name), await asyncio.to_thread(stored)

    async def agent(instance_id: str) -> None:
        headers = {"Authorization": f"Bearer {key}", "X-Instance-ID": instance_id}
        async with connect(
            f"ws://127.0.0.1:{port}/ws/agent", additional_headers=headers, compression=None, ping_interval=None
        ) as socket:
            while time.perf_counter() < started + seconds:
                sent_at = time.perf_counter()
                for _ in range(FRAMES_AT_ONCE):
                    frame = {"channel": "metrics", "type": "metrics:update", "data": payload()}
                    await socket.send(msgspec.json.encode(frame).decode())
                for _ in range(FRAMES_AT_ONCE):
                    answer = msgspec.json.decode(await asyncio.wait_for(socket.recv(), 10))
                    if answer["type"] == "ack":
                        result.latencies.append(time.perf_counter() - sent_at)
                    else:
                        result.refused += 1

    cpu, started = cpu_s(), time.perf_counter()
    async with asyncio.timeout(seconds + 20):
        await asyncio.gather(*(agent(instance_id) for instance_id in ids))
    end = time.perf_counter() + 10
    while (rows := await asyncio.to_thread(stored) - before) < len(result.latencies) and time.perf_counter() < end:
        await asyncio.sleep(0.05)
    if rows != len(result.latencies):
        raise SystemExit(f"{len(result.latencies)} frames were acknowledged, {rows} are in the database")
    result.seconds, result.cpu_s = time.perf_counter() - started, cpu_s() - cpu
    return result


def stored() -> int:
    from django.db import connection

    with connection.cursor() as cursor:
        cursor.execute("SELECT count(*) FROM metric_sample")
        return cursor.fetchone()[0]


def fleet_of(count: int) -> tuple[list[str], str]:
    """Instances and a key that may speak for each of them."""
    from django.db import connection

    from benchmarks._naive.models import NaiveSample
    from fleet.instances.models import Instance
    from security.keys.services import create_service_key

    with connection.schema_editor() as editor:
        editor.create_model(NaiveSample)
    made = Instance.objects.bulk_create(
        Instance(name=f"bench-{number}", provider="ssh", status="RUNNING") for number in range(count)
    )
    return [instance.pk for instance in made], create_service_key(name="benchmark", role="ADMIN")[1]


async def measure(server: _stack.Server, ids: list[str], key: str) -> list[Result]:
    ids, yardsticks = ids[:CONNECTIONS], ids[CONNECTIONS:]
    naive = [request_to(f"/api/v1/naive/{one}", key, flat_payload) for one in yardsticks]
    ours = [request_to(f"/api/v1/instances/{one}/heartbeats", key, payload) for one in ids]
    results = []
    for name, requests in (
        ("DRF serializer + ORM save, over HTTP", naive),
        ("Pharos over HTTP, answered after commit", ours),
    ):
        await http("warm-up", server.port, requests, seconds=WARM_UP_S, cpu_s=server.cpu_s)
        results.append(await http(name, server.port, requests, seconds=SECONDS, cpu_s=server.cpu_s))
    await sockets("warm-up", server.port, key, ids, WARM_UP_S, server.cpu_s)
    results.append(await sockets("Pharos over agent WebSockets", server.port, key, ids, SECONDS, server.cpu_s))
    return results


def main() -> None:
    _stack.prepare()
    ids, key = fleet_of(2 * CONNECTIONS)
    with _stack.server() as server:
        results = asyncio.run(measure(server, ids, key))
    naive, http_, socket = results
    print(f"\n{CONNECTIONS} connections, {SECONDS:g} s each\n{HEADER}")
    for result in results:
        print(result.line())
    print()
    print(f"CPU per heartbeat, naive / Pharos over HTTP:        {naive.cpu_us / http_.cpu_us:5.1f}x")
    print(f"CPU per heartbeat, naive / Pharos over WebSockets:  {naive.cpu_us / socket.cpu_us:5.1f}x")
    print(f"Accepted per second, Pharos over HTTP / naive:      {http_.per_s / naive.per_s:5.1f}x")
    print(f"Accepted per second, Pharos over WebSockets / naive:{socket.per_s / naive.per_s:5.1f}x")


if __name__ == "__main__":
    main()
