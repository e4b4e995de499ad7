"""5,000 monitors of every minute over PostgreSQL and Redis, made by a tool that does nothing.

    make bench NAME=monitors            three minutes
    scripts/bench monitors 10 5000      ten minutes of 5,000 monitors

Told are: how late runs are queued, what the dispatcher costs, whether each minute has exactly one run of each
monitor, and how long the server takes for the list of monitors and deep in the history of runs. Times of one machine
compare with times of the same machine only; the lateness holds only where the machine has CPU to spare.
"""

import os
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime, timedelta
from pathlib import Path
from statistics import median
from typing import Any

import psutil

from benchmarks import _stack

MINUTES, MONITORS, FEW = 3, 5000, 50
RUNS, OFFSET = 100_000, 50_000
REQUESTS = 15
CHECKS = 20  # finished runs that each monitor begins with
PLACES = 16  # for runs in the worker: the tool does nothing, so they wait for the database most of the time
PARTS = {
    "scheduler": ["beat"],
    "dispatcher": ["worker", "--pool=threads", "--concurrency=4", "--queues=default"],
    "worker": ["worker", "--pool=threads", "--concurrency=20", "--queues=monitors"],
}


@contextmanager
def product() -> Iterator[dict[str, psutil.Process]]:
    """The product's processes that make runs, each with a queue of its own."""
    options = ["--without-gossip", "--without-mingle", "--without-heartbeat", "--loglevel=WARNING"]
    started = {}
    try:
        for name, arguments in PARTS.items():
            extra = ["--loglevel=WARNING", "--max-interval=1"] if name == "scheduler" else options
            command = [sys.executable, "-m", "celery", "-A", "config", *arguments, *extra]
            started[name] = subprocess.Popen(command, cwd=_stack.ROOT, stdout=subprocess.DEVNULL)
        yield {name: psutil.Process(process.pid) for name, process in started.items()}
    finally:
        for process in started.values():
            process.terminate()
        for process in started.values():
            try:
                process.wait(20)
            except subprocess.TimeoutExpired:
                process.kill()
                process.wait()


def make_monitors(count: int) -> None:
    """Paused monitors, each with some finished runs."""
    from django.utils import timezone

    from monitors.agents.services import default_agent
    from monitors.monitors.models import Monitor
    from monitors.runs.models import Run

    agent, now = default_agent(), timezone.now()
    made = Monitor.objects.bulk_create(
        Monitor(
            name=f"bench {number:05d}",
            tool="http",
            schedule="* * * * *",
            shortest_gap_s=60,
            enabled=False,
            request={"url": "http://127.0.0.1:9/"},
            agent=agent,
        )
        for number in range(count)
    )
    past = (finished(one, now - timedelta(minutes=number)) for number in range(1, CHECKS) for one in made)
    Run.objects.bulk_create(past, batch_size=2000)
    _vacuum()


def switch_on() -> datetime:
    """Let all monitors run; their first fire time."""
    from django.utils import timezone

    from monitors.monitors.models import Monitor

    now = timezone.now()
    first = now.replace(second=0, microsecond=0) + timedelta(minutes=1 if now.second < 45 else 2)
    Monitor.objects.update(enabled=True, next_run_at=first)
    return first


def watch(first: datetime, minutes: int, parts: dict[str, psutil.Process]) -> dict[str, float]:
    """Wait for the minutes to pass; the share of one core that each process needed."""
    wait_until(first - timedelta(seconds=2))
    before, began = {name: _stack.cpu_of(process) for name, process in parts.items()}, time.monotonic()
    wait_until(first + timedelta(minutes=minutes) - timedelta(seconds=2))
    seconds = time.monotonic() - began
    return {name: (_stack.cpu_of(process) - before[name]) / seconds for name, process in parts.items()}


def wait_until(moment: datetime) -> None:
    from django.utils import timezone

    time.sleep(max(0.0, (moment - timezone.now()).total_seconds()))


def judge(first: datetime, minutes: int, count: int, shares: dict[str, float]) -> None:
    from django.db.models import Count, Sum

    from monitors.monitors.models import Monitor
    from monitors.runs.models import Run

    until = first + timedelta(minutes=minutes)
    runs = Run.objects.filter(scheduled_at__gte=first, scheduled_at__lt=until)
    late = sorted((queued - at).total_seconds() for queued, at in runs.values_list("queued_at", "scheduled_at"))
    pairs = runs.values("monitor", "scheduled_at").distinct().count()
    states = dict(runs.order_by("status").values_list("status").annotate(Count("pk")))
    skipped = Monitor.objects.aggregate(total=Sum("skipped_runs"))["total"]
    wanted = count * minutes
    print(f"\n{count} monitors of every minute, {minutes} minutes, a tool that does nothing")
    print(f"  runs: {len(late)} of {wanted}, {pairs} different; skipped {skipped}; {states}")
    if late:
        print("  queued late by: " + ", ".join(f"p{q} {at(late, q):.2f} s" for q in (50, 95, 99, 100)))
    for name, share in shares.items():
        print(f"  {name}: {100 * share:.1f} % of a core")
    print(f"  the dispatch tick alone: {100 * tick_cpu_s() / (60 * minutes):.1f} % of a core")
    print("  each minute exactly one run of each monitor: " + ("yes" if len(late) == pairs == wanted else "NO"))


def at(ordered: list[float], percent: int) -> float:
    return ordered[min(len(ordered) - 1, int(percent / 100 * len(ordered)))]


def tick_cpu_s() -> float:
    """CPU seconds of the dispatch tick, written by the tool's app."""
    lines = Path(os.environ["PHAROS_DATA_DIR"], "tick").read_text().split()
    return sum(map(float, lines))


def readers() -> dict[str, Any]:
    """A client for each list: the page in a browser, the API by key."""
    from django.test import Client

    from security.keys.services import create_service_key

    key, raw = create_service_key(name="benchmark", role="ADMIN")
    browser = Client()
    browser.force_login(key.user, backend="django.contrib.auth.backends.ModelBackend")
    return {"/monitors/": browser, "/api/monitors?limit=50": Client(headers={"Authorization": f"Bearer {raw}"})}


def deep_history(client: Any) -> None:
    from django.utils import timezone

    from monitors.monitors.models import Monitor
    from monitors.runs.models import Run

    monitor, now = Monitor.objects.order_by("pk").first(), timezone.now()
    past = (finished(monitor, now - timedelta(days=1, minutes=number)) for number in range(RUNS))
    Run.objects.bulk_create(past, batch_size=2000)
    _vacuum()
    path = f"/api/monitors/{monitor.pk}/runs?limit=200&offset="  # type: ignore[union-attr]
    near, deep = ms(client, f"{path}0"), ms(client, f"{path}{OFFSET}")
    print(f"  history of {RUNS} runs: {near:.0f} on the first page, {deep:.0f} at offset {OFFSET}")


def finished(monitor: Any, moment: datetime) -> Any:
    from monitors.runs.models import Run

    times = dict.fromkeys(("queued_at", "ready_at", "take_until", "started_at", "completed_at", "counted_at"), moment)
    return Run(
        monitor=monitor, agent_id="default", tool="http", status="pass", trigger="schedule", spec={}, timeout_s=30,
        metrics={"p50": 1.0, "p95": 2.0, "p99": 2.0, "avg": 1.0, "errorRate": 0.0, "throughput": 1.0}, **times,
    )  # fmt: skip


def ms(client: Any, path: str) -> float:
    took = []
    for _ in range(REQUESTS):
        began = time.perf_counter()
        answer = client.get(path)
        assert answer.status_code == 200, (path, answer.status_code)
        took.append(1000 * (time.perf_counter() - began))
    return median(took[2:])


def _vacuum() -> None:
    from django.db import connection

    with connection.cursor() as cursor:
        cursor.execute("VACUUM ANALYZE monitors_run")
        cursor.execute("VACUUM ANALYZE monitors_monitor")
        cursor.execute("CHECKPOINT")  # what the preparation left to write is not to be measured


def main(minutes: int = MINUTES, count: int = MONITORS) -> None:
    os.environ["MONITOR_MAX_CONCURRENT"] = str(PLACES)
    _stack.prepare("benchmarks._monitors")
    clients = readers()
    make_monitors(FEW)
    few = {path: ms(client, path) for path, client in clients.items()}
    make_monitors(count - FEW)
    many = {path: ms(client, path) for path, client in clients.items()}
    with product() as parts:
        first = switch_on()
        shares = watch(first, minutes, parts)
        time.sleep(5)
    judge(first, minutes, count, shares)
    print("server time, median in ms")
    for path in clients:
        share = many[path] / few[path]
        print(f"  {path}: {many[path]:.0f} with {count}, {few[path]:.0f} with {FEW} monitors, {share:.2f}x")
    deep_history(clients["/api/monitors?limit=50"])


if __name__ == "__main__":
    main(*map(int, sys.argv[1:]))
