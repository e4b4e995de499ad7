"""What storing and reading samples costs: COPY against bulk_create, roll-ups against samples.

PostgreSQL only, on this machine. "CPU µs" is user and system time of this process and of PostgreSQL.
"""

import random
import time
from collections.abc import Callable
from datetime import UTC, datetime, timedelta

from benchmarks import _stack

BATCH = 3000
ROWS = 30_000
INSTANCES, DAYS, EVERY_S = 100, 7, 120  # half a million samples
READS = 5


def main() -> None:
    _stack.prepare()
    from benchmarks._naive.models import NaiveSample
    from config import timeseries
    from fleet.metrics import services
    from fleet.metrics.models import SAMPLES, TouchedBucket

    now = datetime.now(UTC).replace(second=0, microsecond=0)
    ids = make_instances(NaiveSample)
    services.ensure_partitions()
    rows = [row(ids[number % INSTANCES], now + timedelta(seconds=number)) for number in range(ROWS)]
    copied = in_batches(rows, lambda part: timeseries.insert(SAMPLES, part))
    created = in_batches(rows, lambda part: NaiveSample.objects.bulk_create(naive(NaiveSample, one) for one in part))
    print(f"\n{ROWS} samples of 20 columns in batches of {BATCH}\n{'':<28}{'rows/s':>10}{'CPU µs a row':>14}")
    for name, (seconds, cpu_s) in (("COPY in binary form", copied), ("bulk_create", created)):
        print(f"{name:<28}{ROWS / seconds:>10.0f}{1e6 * cpu_s / ROWS:>14.1f}")

    stored = fill(ids, now)
    TouchedBucket.objects.bulk_create(
        TouchedBucket(bucket_at=now - timedelta(minutes=5 * number + now.minute % 5))
        for number in range(DAYS * 288 + 1)
    )
    started = time.perf_counter()
    buckets = services.roll_up()
    print(f"\n{stored} samples of {DAYS} days: {buckets} buckets rolled up in {time.perf_counter() - started:.1f} s")

    rolled, raw = chart_times(now)
    print(
        f"\nChart of the fleet over {DAYS} days, ms: {1e3 * rolled:.1f} from roll-ups, {1e3 * raw:.0f} from samples\n"
    )
    print(f"CPU per stored sample, bulk_create / COPY:      {created[1] / copied[1]:6.1f}x")
    print(f"Time of a 7-day chart, samples / roll-ups:      {raw / rolled:6.1f}x")


def make_instances(naive_model: type) -> list[str]:
    from django.db import connection

    from fleet.instances.models import Instance

    with connection.schema_editor() as editor:
        editor.create_model(naive_model)
    made = Instance.objects.bulk_create(
        Instance(name=f"bench-{number}", provider="ssh", status="RUNNING") for number in range(INSTANCES)
    )
    return [instance.pk for instance in made]


def row(instance_id: str, at: datetime) -> tuple:
    """A sample in the order of the table's columns."""
    load = random.random()
    reals = (100 * load, 60.0, 40.0, load, load, load, 1e5 * load, 1e4 * load, None, None)
    sizes = (9_663_676_416, 16_777_216_000, 3_221_225_472, 0, 2**31, 4 * 10**11, 10**12, 10**9, 10**8)
    return (instance_id, at, *reals, *sizes, None)


def naive(model: type, one: tuple) -> object:
    from fleet.metrics.models import SAMPLES

    values = dict(zip(SAMPLES.columns, one, strict=True))
    for name in ("net_rx_bps", "net_tx_bps", "disk_read_bps", "disk_write_bps"):
        del values[name]
    return model(**values)


def in_batches(rows: list[tuple], write: Callable[[list[tuple]], object]) -> tuple[float, float]:
    """Wall and CPU seconds of storing the rows, a transaction a batch."""
    before, started = cpu_s(), time.perf_counter()
    for start in range(0, len(rows), BATCH):
        write(rows[start : start + BATCH])
    return time.perf_counter() - started, cpu_s() - before


def cpu_s() -> float:
    """CPU seconds of this process and of PostgreSQL, if it runs on this machine."""
    database = _stack.postmaster()
    return time.process_time() + (_stack.cpu_of(database) if database else 0.0)


def fill(ids: list[str], now: datetime) -> int:
    from config import timeseries
    from fleet.metrics.models import SAMPLES

    stored, batch = 0, []
    for number in range(DAYS * 86400 // EVERY_S):
        batch += [row(one, now - timedelta(seconds=EVERY_S * number + 1)) for one in ids]
        if len(batch) >= BATCH:
            stored += timeseries.insert(SAMPLES, batch)
            batch = []
    return stored + timeseries.insert(SAMPLES, batch)


def chart_times(now: datetime) -> tuple[float, float]:
    """Seconds of the chart as the product reads it, and of the same buckets from samples alone."""
    from config import timeseries
    from config.timeseries import bucket, largest, mean, rows_of
    from fleet.metrics.charts import chart
    from fleet.metrics.models import SAMPLES
    from fleet.metrics.sources import Scope

    since, columns = now - timedelta(days=DAYS), {"at": bucket(3600), "a": mean("cpu_pct"), "m": largest("cpu_pct")}
    raw = timeseries.bucketed(SAMPLES, columns, since=since, until=now)
    return (
        shortest(lambda: chart(Scope.fleet(), metrics=["cpu"], since=since, until=now, max_points=200, now=now)),
        shortest(lambda: rows_of(raw, times=[0])),
    )


def shortest(read: Callable[[], object]) -> float:
    seconds = []
    for _ in range(READS):
        started = time.perf_counter()
        read()
        seconds.append(time.perf_counter() - started)
    return min(seconds)


if __name__ == "__main__":
    main()
