"""How long the console waits for its figures, against reading samples as a first version would.

PostgreSQL only, on this machine. A time is that of the whole request, from key to JSON, in one process; "naive" is the
same question asked of the samples in plain SQL, with the answer as JSON and nothing around it. The best of several is
shown: the machine may be busy; "CPU" is user and system time here and in PostgreSQL, and the ratio is of that.
"""

import os
import time
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from functools import partial
from typing import Any

from benchmarks import _stack
from benchmarks.timeseries import cpu_s, row

INSTANCES = int(os.environ.get("INSTANCES", "1000"))
EVERY_S = 60
DAYS = 7
READS = 25
BATCH = 20_000


def main() -> None:
    _stack.prepare("config.settings")
    from django.test import Client

    from security.keys.services import create_service_key

    now = datetime.now(UTC).replace(second=0, microsecond=0)
    ids = _fleet()
    stored = _fill(ids, now)
    buckets, took = _rolled_up(now, ids[0])
    print(f"\n{stored} samples of {INSTANCES} instances, {buckets} buckets rolled up in {took:.1f} s")
    key = create_service_key(name="benchmark", role="ADMIN")[1]
    client = Client(headers={"Authorization": f"Bearer {key}"})
    week, day, metrics = partial(one_week, ids[0], now), partial(fleet_day, now), "/api/v1/metrics"
    cases = (
        ("one instance, 7 days, points", f"/api/v1/instances/{ids[0]}/metrics?range=7d", week, 50),
        ("one instance, 7 days, chart", f"{metrics}/chart?range=7d&instanceId={ids[0]}", week, 50),
        ("the fleet, 24 hours, chart", f"{metrics}/chart?range=24h", day, 100),
        ("latest of every instance", f"{metrics}/latest", latest, 50),
    )
    print(f"{'':<32}{'Pharos ms':>11}{'bar ms':>8}{'CPU ms':>8}{'naive ms':>11}{'CPU ms':>8}{'ratio':>9}")
    for name, path, naive, bar in cases:
        ours, cpu = measured(lambda path=path: _get(client, path), reads=READS)
        theirs, their_cpu = measured(naive, reads=2)
        print(f"{name:<32}{ours:>11.1f}{bar:>8}{cpu:>8.1f}{theirs:>11.1f}{their_cpu:>8.1f}{their_cpu / cpu:>8.1f}x")


def _fleet() -> list[str]:
    from fleet.instances.models import Instance

    made = Instance.objects.bulk_create(
        Instance(name=f"bench-{number}", provider="ssh", status="RUNNING") for number in range(INSTANCES)
    )
    return [instance.pk for instance in made]


def _fill(ids: list[str], now: datetime) -> int:
    """A day of everybody, a week of the first, and the newest figures on the instances' rows."""
    from config import timeseries
    from fleet.metrics import recording, services
    from fleet.metrics.models import SAMPLES

    services.ensure_partitions()
    stored, at_once = 0, max(1, BATCH // INSTANCES)
    for first in range(1, 86400 // EVERY_S, at_once):
        moments = [now - timedelta(seconds=EVERY_S * step) for step in range(first, first + at_once)]
        stored += timeseries.insert(SAMPLES, [row(one, at) for at in moments for one in ids])
    week = [now - timedelta(seconds=EVERY_S * step) for step in range(86400 // EVERY_S, DAYS * 86400 // EVERY_S)]
    stored += timeseries.insert(SAMPLES, [row(ids[0], at) for at in week])
    figures = {"cpu_pct": 12.5, "mem_used": 1 << 30, "mem_total": 1 << 32, "load1": 0.5, "net_rx": 10**9}
    recording.record([services.Beat(instance_id=one, at=now, sample=services.Sample(**figures)) for one in ids])
    return stored + len(ids)


def _rolled_up(now: datetime, longest: str) -> tuple[int, float]:
    from django.db import connection

    from fleet.metrics import services
    from fleet.metrics.models import TouchedBucket

    last = now - timedelta(minutes=now.minute % 5)
    TouchedBucket.objects.all().delete()
    TouchedBucket.objects.bulk_create(
        TouchedBucket(instance_id="" if number <= 288 else longest, bucket_at=last - timedelta(minutes=5 * number))
        for number in range(1, DAYS * 288 + 1)
    )
    started = time.perf_counter()
    buckets, took = services.roll_up(), time.perf_counter() - started
    with connection.cursor() as cursor:  # what autovacuum does each minute to rows that come over a day
        cursor.execute("VACUUM ANALYZE")
    return buckets, took


def _get(client: Any, path: str) -> None:
    answer = client.get(path)
    if answer.status_code != 200 or len(answer.content) < 1000:
        raise SystemExit(f"{path}: {answer.status_code} {answer.content[:200]!r}")


def one_week(instance_id: str, now: datetime) -> bytes:
    """Every sample of the range, as the console that we replace answers."""
    sql = "SELECT * FROM metric_sample WHERE instance_id = %s AND ts >= %s ORDER BY ts"
    return _answer(sql, instance_id, now - timedelta(days=DAYS))


def fleet_day(now: datetime) -> bytes:
    """Means and maxima of five minutes over all samples."""
    sql = (
        "SELECT date_bin('5 minutes', ts, '2000-01-01') AS at, avg(cpu_pct), max(cpu_pct) FROM metric_sample "
        "WHERE ts >= %s GROUP BY 1 ORDER BY 1"
    )
    return _answer(sql, now - timedelta(days=1))


def latest() -> bytes:
    """The newest sample of each instance."""
    return _answer("SELECT DISTINCT ON (instance_id) * FROM metric_sample ORDER BY instance_id, ts DESC")


def _answer(sql: str, *params: Any) -> bytes:
    import msgspec
    from django.db import connection

    with connection.cursor() as cursor:
        cursor.execute(sql, params)
        names = [column.name for column in cursor.description]
        return msgspec.json.encode([dict(zip(names, row, strict=True)) for row in cursor.fetchall()])


def measured(read: Callable[[], object], *, reads: int) -> tuple[float, float]:
    """Milliseconds of the shortest, and of CPU in the mean: of this process and of PostgreSQL."""
    read()
    before, seconds = cpu_s(), []
    for _ in range(reads):
        started = time.perf_counter()
        read()
        seconds.append(time.perf_counter() - started)
    return 1e3 * min(seconds), 1e3 * max(cpu_s() - before, 1e-6) / reads


if __name__ == "__main__":
    main()
