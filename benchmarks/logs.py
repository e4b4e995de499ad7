"""How many log lines the product takes in, what one costs, and how long searches take over a million of them.

`make bench NAME=logs`, or `scripts/bench logs LINES SECONDS` for other sizes. PostgreSQL with fsync, Redis, one uvicorn
process and the clients share this machine. Batches of 1,000 lines are answered after the commit, with the index of
words up to date, in the product and in the naive way (DRF serializer, bulk_create, a GIN index) alike. "CPU µs" is user
and system time of the server, PostgreSQL and Redis, without the clients.
"""

import asyncio
import random
import sys
import time
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from statistics import median

import msgspec

from benchmarks import _stack
from benchmarks._load import Result, http

LINES, SECONDS = 1_000_000, 10.0
BATCH, CONNECTIONS, INSTANCES = 1000, 8, 100
WARM_UP_S, READS = 2.0, 7
RARE, COMMON = "xylophone", "request"
WORDS = "cart order user session cache index queue worker upload payment retry shard token mail".split()  # noqa: SIM905
random.seed(7)


def message(number: int) -> str:
    """A line as services write it: two in three hold the common word, one in 100,000 the rare one."""
    word, other = random.choice(WORDS), random.choice(WORDS)  # noqa: S311
    text = f"{COMMON if number % 3 else 'job'} {number} {word}/{other} took {random.randrange(900)} ms"  # noqa: S311
    return f"{text} {RARE}" if number % 100_000 == 50_000 else text


def batch_to(path: str, key: str, ids: list[str]) -> Callable[[], bytes]:
    """The same batch of 1,000 lines again and again."""
    entries = [
        {
            "instanceId": ids[number % len(ids)],
            "level": ("INFO", "INFO", "WARN", "ERROR")[number % 4],
            "source": "APP",
            "message": message(number),
            "metadata": {"path": "/var/log/app.log", "thread": number % 8},
        }
        for number in range(BATCH)
    ]
    body = msgspec.json.encode({"entries": entries})
    head = (
        f"POST {path} HTTP/1.1\r\nHost: 127.0.0.1\r\nAuthorization: Bearer {key}\r\nContent-Type: application/json\r\n"
    )
    request = f"{head}Content-Length: {len(body)}\r\n\r\n".encode() + body
    return lambda: request


async def take_in(server: _stack.Server, ids: list[str], key: str, seconds: float) -> list[Result]:
    results = []
    for name, path in (
        ("DRF serializer + bulk_create", "/api/v1/naive/logs"),
        ("Pharos", "/api/v1/logs/ingest/batch"),
    ):
        requests = [batch_to(path, key, ids) for _ in range(CONNECTIONS)]
        await http("warm-up", server.port, requests, seconds=min(WARM_UP_S, seconds), cpu_s=server.cpu_s)
        results.append(await http(name, server.port, requests, seconds=seconds, cpu_s=server.cpu_s))
        if results[-1].refused or not results[-1].latencies:
            raise SystemExit(f"{name}: {results[-1].refused} batches were refused")
    return results


def stored() -> int:
    from django.db import connection

    with connection.cursor() as cursor:
        cursor.execute("SELECT count(*) FROM log_entry")
        return cursor.fetchone()[0]


def fill(ids: list[str], lines: int) -> float:
    """Put lines of the last day beside those that are there; returns seconds."""
    from fleet.logs.entries import entry
    from fleet.logs.models import Level, Source
    from fleet.logs.recording import record

    started, now, levels = time.perf_counter(), datetime.now(UTC), list(Level)
    for start in range(0, lines, 10_000):
        record(
            [
                entry(
                    now - timedelta(days=1) * (1 - number / lines),
                    instance_id=ids[number % len(ids)],
                    level=levels[number % 4],
                    source=Source.APP,
                    message=message(number),
                )
                for number in range(start, min(start + 10_000, lines))
            ]
        )
    return time.perf_counter() - started


def read_times() -> dict[str, float]:
    """Milliseconds of each read, the median of several."""
    from fleet.logs import queries, statistics
    from fleet.logs.histogram import histogram
    from fleet.logs.queries import Filters
    from security.keys.services import shared_agent

    everyone, now = shared_agent(), datetime.now(UTC)
    middle = queries.older(Filters(until=now - timedelta(hours=12)), everyone, limit=1)[0].id
    reads: dict[str, Callable[[], object]] = {
        f"rare word ({RARE})": lambda: queries.page(Filters(search=RARE), everyone, offset=0, limit=100),
        f"common word ({COMMON})": lambda: queries.page(Filters(search=COMMON), everyone, offset=0, limit=100),
        "count of all by level and source": lambda: statistics.of_fleet(Filters(), everyone),
        "newest page": lambda: queries.older(Filters(), everyone, limit=100),
        "page in the middle, by cursor": lambda: queries.older(Filters(), everyone, before=middle, limit=100),
        "bars of 24 h": lambda: histogram(Filters(), everyone, since=now - timedelta(days=1), until=now),
    }
    return {name: timed(read) for name, read in reads.items()}


def timed(read: Callable[[], object]) -> float:
    read()
    took = []
    for _ in range(READS):
        started = time.perf_counter()
        read()
        took.append(1e3 * (time.perf_counter() - started))
    return median(took)


def set_up() -> tuple[list[str], str]:
    from django.db import connection

    from benchmarks._naive.models import NaiveLog
    from fleet.instances.models import Instance
    from fleet.logs import upkeep
    from security.keys.services import create_service_key

    with connection.schema_editor() as editor:
        editor.create_model(NaiveLog)
    upkeep.ensure_partitions()
    instances = [Instance(name=f"bench-{number}", provider="ssh", status="RUNNING") for number in range(INSTANCES)]
    made = Instance.objects.bulk_create(instances)
    return [instance.pk for instance in made], create_service_key(name="benchmark", role="ADMIN")[1]


def main(lines: str = str(LINES), seconds: str = str(SECONDS)) -> None:
    _stack.prepare()
    ids, key = set_up()
    with _stack.server() as server:
        naive, ours = asyncio.run(take_in(server, ids, key, float(seconds)))
    acknowledged, found = len(ours.latencies) * BATCH, stored()
    if found < acknowledged:
        raise SystemExit(f"{acknowledged} lines were acknowledged, {found} are in the database")
    print(f"\n{CONNECTIONS} connections, batches of {BATCH}, {seconds} s each, answered after the commit")
    print(f"{'':<34}{'lines/s':>10}{'CPU µs a line':>15}{'p50 ms':>9}{'p99 ms':>9}")
    for result in (naive, ours):
        quantiles = f"{1e3 * result.quantile(0.5):>9.0f}{1e3 * result.quantile(0.99):>9.0f}"
        print(f"{result.name:<34}{BATCH * result.per_s:>10.0f}{result.cpu_us / BATCH:>15.1f}{quantiles}")
    took = fill(ids, max(int(lines) - found, 0))
    from django.db import connection

    with connection.cursor() as cursor:
        cursor.execute("ANALYZE log_entry")
    print(f"\n{stored()} lines are stored ({took:.0f} s to fill up); ms, the median of {READS} reads")
    for name, ms in read_times().items():
        print(f"{name:<34}{ms:>10.1f}")
    print(f"\nLines per second, Pharos / naive:   {ours.per_s / naive.per_s:6.1f}x")
    print(f"CPU per line, naive / Pharos:       {naive.cpu_us / ours.cpu_us:6.1f}x")


if __name__ == "__main__":
    main(*sys.argv[1:])
