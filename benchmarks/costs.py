"""The ledger of 10,000 instances: its daily run, summary and trends of 90 days over the API, and right-sizing.

All that is timed goes through the product: the run as the tick calls it, the reports as requests with a key. The past
days are copies of one that the product counted.
"""

import statistics
import time
from collections.abc import Callable
from datetime import UTC, date, datetime, timedelta
from typing import Any

from benchmarks import _rightsizing, _stack

INSTANCES, DAYS = 10_000, 90
MOST_RUN_S, MOST_REPORT_MS = 30.0, 200.0
MOST_PASS_S, MOST_PASS_MIB = 60.0, 200.0
TIMES = 9
PROVIDERS = ("fly", "aws", "gcp", "azure", "digitalocean")
REGIONS = {"fly": ("ams", "fra"), "aws": ("us-east-1", "eu-west-1"), "gcp": ("us-central1",)}
GB, GIB = 10**9, 2**30


def main() -> None:
    _stack.prepare("config.settings")
    today = datetime.now(UTC).replace(hour=0, minute=0, second=0, microsecond=0)
    say("making the fleet, its traffic of 31 days and its ledger of 90")
    make_fleet(today)
    history(today)
    say("counting")
    runs = counting(today)
    say("asking")
    reports = asking(today)
    say("making 30 days of figures, and looking for smaller sizes")
    running = _rightsizing.make_usage(today)
    sized = _rightsizing.passing(today + timedelta(minutes=70))
    report(runs, reports)
    report_sizes(running, *sized)


def say(text: str) -> None:
    print(f"{text} …", flush=True)


def make_fleet(today: datetime) -> None:
    """Machines at five providers, in twenty teams, with a size that follows from cores and memory."""
    from config import timeseries
    from fleet.instances.models import Instance
    from fleet.metrics.models import ROLLUPS
    from fleet.metrics.services import ensure_partitions
    from security.accounts.models import Team

    ensure_partitions()
    teams = Team.objects.bulk_create(Team(name=f"bench-{n}") for n in range(20))
    made = []
    for n in range(INSTANCES):
        provider = PROVIDERS[n % 5]
        places = REGIONS.get(provider)
        sample = {"core_count": 1 + n % 4, "mem_total": (1 + n % 8) * GIB, "disk_total": (20 + n % 60) * GIB}
        made.append(
            Instance(
                name=f"bench-{n}",
                provider=provider,
                region=places[n % len(places)] if places else None,
                status="RUNNING" if n % 10 else "STOPPED",
                team=teams[n % 20] if n % 3 else None,
                tags={"env": ("prod", "test")[n % 2], "app": f"app-{n % 40}"},
                last_sample=sample,
            )
        )
    Instance.objects.bulk_create(made, batch_size=1000)
    Instance.objects.update(created_at=today - timedelta(days=DAYS + 10), updated_at=today - timedelta(days=DAYS))
    empty = dict.fromkeys(ROLLUPS.columns) | {"resolution": 1440, "subject_kind": 0, "n": 2880}
    for day in range(31):
        ts = today - timedelta(days=31 - day)
        rows = [
            tuple((empty | {"subject_id": one.pk, "ts": ts, "net_tx_last": (day + 1) * 5 * GB}).values())
            for one in made
        ]
        timeseries.insert(ROLLUPS, rows)


def history(today: datetime) -> None:
    """Yesterday as the product counts it until 23:10, copied onto the days before."""
    from django.db import connection

    from costs.ledger import services
    from costs.ledger.totals import close_weeks, sum_up

    yesterday = today - timedelta(days=1)
    services.run(now=yesterday + timedelta(hours=23, minutes=10))
    amounts = "compute_micros, storage_micros, network_micros, llm_micros, total_micros"
    copied = f"instance_id, subject_id, status, source, estimated_micros, basis, {amounts}"
    days: list[date] = []
    for back in range(1, DAYS):
        day = (yesterday - timedelta(days=back)).date()
        days.append(day)
        with connection.cursor() as cursor:
            cursor.execute(
                f"INSERT INTO costs_costentry ({copied}, day, counted_until) "  # noqa: S608
                f"SELECT {copied}, %s, %s FROM costs_costentry WHERE day = %s",
                [day, yesterday - timedelta(days=back - 1), yesterday.date()],
            )
    sum_up(days)
    close_weeks(today=yesterday.date())
    with connection.cursor() as cursor:
        cursor.execute("VACUUM ANALYZE")  # what the database does by itself in time


def counting(today: datetime) -> dict[str, float]:
    """Seconds of the daily run (it ends yesterday and begins today) and of an hourly one."""
    from costs.ledger import services

    seen = today - timedelta(minutes=50)
    daily = timed(lambda: services.run(now=today + timedelta(minutes=10), seen=seen))
    hourly = timed(lambda: services.run(now=today + timedelta(minutes=70), seen=today + timedelta(minutes=10)))
    return {"daily": daily, "hourly": hourly}


def asking(today: datetime) -> dict[str, list[float]]:
    """Milliseconds of requests over 90 days by an administrator's key."""
    from django.test import Client

    from security.keys.services import create_service_key

    _, raw = create_service_key(name="bench", role="ADMIN", days=None)
    client = Client(headers={"Authorization": f"Bearer {raw}"})
    span = f"from={(today - timedelta(days=DAYS)).date()}&to={today.date()}"
    found: dict[str, list[float]] = {}
    for name in ("summary", "trends", "breakdown"):
        for _ in range(TIMES + 2):
            found.setdefault(name, []).append(1000 * timed(lambda name=name: ask(client, f"{name}?{span}")))
        found[name] = found[name][2:]
    return found


def ask(client: Any, path: str) -> None:
    answer = client.get(f"/api/v1/costs/{path}")
    assert answer.status_code == 200, answer.content[:500]


def timed(work: Callable[[], object]) -> float:
    started = time.perf_counter()
    work()
    return time.perf_counter() - started


def report(runs: dict[str, float], reports: dict[str, list[float]]) -> None:
    print(f"\n{INSTANCES} instances, {DAYS} days of entries")
    print(f"Daily run {runs['daily']:.1f} s; hourly run {runs['hourly']:.1f} s")
    for name, times in reports.items():
        print(f"{name:<10} median {statistics.median(times):6.0f} ms, slowest of {TIMES} {max(times):6.0f} ms")
    verdict(runs["daily"] < MOST_RUN_S, f"the daily run under {MOST_RUN_S:.0f} s")
    for name in ("summary", "trends"):
        median = statistics.median(reports[name])
        verdict(median <= MOST_REPORT_MS, f"{name} of {DAYS} days in at most {MOST_REPORT_MS:.0f} ms")


def report_sizes(running: int, seconds: float, grown_mib: float, found: int) -> None:
    print(f"Right-sizing of {running} running instances {seconds:.1f} s, {grown_mib:.0f} MiB more, {found} found")
    verdict(seconds <= MOST_PASS_S, f"the right-sizing pass in at most {MOST_PASS_S:.0f} s")
    verdict(grown_mib <= MOST_PASS_MIB, f"in at most {MOST_PASS_MIB:.0f} MiB more")


def verdict(held: bool, what: str) -> None:
    print(f"{'met   ' if held else 'MISSED'} {what}", flush=True)


if __name__ == "__main__":
    main()
