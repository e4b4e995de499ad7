"""Demo monitors: what they check, a day of runs, and the agent that makes their runs without sending anything."""

import math
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from random import Random
from typing import Any
from uuid import UUID

from django.db import transaction

from alerts.demo.names import AGENT, Names, number
from config import live
from config.version import VERSION
from monitors.agents import beats
from monitors.agents.models import Agent
from monitors.monitors import cron
from monitors.monitors.models import Monitor
from monitors.runs import judge, remote, services
from monitors.runs.models import GOOD, Run, Status, Trigger
from monitors.runs.verdict import verdict
from monitors.tools.base import Outcome

DAY, FAILING_FOR = timedelta(days=1), timedelta(minutes=17)
SAMPLES = 20
URL = "https://shop.example"  # reserved for examples; nothing is ever sent there
MOST_AT_ONCE = 20


@dataclass(frozen=True)
class Check:
    """One demo monitor: its usual time in ms and its limits. `slow` is how much slower it has become of late."""

    name: str
    path: str
    usual_ms: float
    thresholds: dict[str, float]
    every_min: int = 5
    slow: float = 1.0
    errors: float = 0.0
    enabled: bool = True


CHECKS = (
    Check("Front page", "/", 180, {"latencyMs": 800}, every_min=1),
    Check("Checkout", "/checkout", 420, {"latencyMs": 900}, every_min=1, slow=3.1),
    Check("Search", "/search?q=shoes", 340, {"latencyMs": 900}),
    Check("Login", "/login", 210, {"latencyMs": 700, "errorRatePercent": 2}),
    Check("Payment gateway", "/pay/health", 410, {"latencyMs": 1200}),
    Check("Product images", "/images/1.jpg", 95, {"latencyMs": 400}),
    Check("Mail relay", "/mail/health", 150, {"errorRatePercent": 20}, errors=0.09),
    Check("Nightly export", "/export", 640, {"latencyMs": 3000}, enabled=False),
)


def make(names: Names, now: datetime) -> None:
    """The agent, the monitors and a day of their runs. Run again after a break it makes what is missing."""
    agent, _ = Agent.objects.get_or_create(pk=AGENT, defaults={"name": "Demo agent", "location": "nowhere"})
    _beat(agent, now)
    for key, check in zip(names.monitors, CHECKS, strict=True):
        schedule = "* * * * *" if check.every_min == 1 else f"*/{check.every_min} * * * *"
        monitor, _ = Monitor.objects.update_or_create(
            pk=key,
            defaults={
                "name": check.name,
                "tool": "http",
                "schedule": schedule,
                "shortest_gap_s": 60 * check.every_min,
                "enabled": check.enabled,
                "thresholds": check.thresholds,
                "request": {"method": "GET", "url": URL + check.path, "samples": SAMPLES},
                "agent": agent,
                "tags": ["demo", "shop"],
                "next_run_at": cron.next_fire(schedule, "UTC", now),
            },
        )
        _runs(names.seed, monitor, check, now)
    live.publish("monitors", {"kind": "created"})


def _runs(seed: int, monitor: Monitor, check: Check, now: datetime) -> None:
    step = timedelta(minutes=check.every_min)
    end = now if check.enabled else now - DAY / 5
    first = datetime.fromtimestamp((now - DAY).timestamp() // 300 * 300, UTC)
    runs, at = [], first + timedelta(minutes=5)
    while at < end - timedelta(seconds=10):
        runs.append(_run(seed, monitor, check, at, failing=at >= now - FAILING_FOR))
        at += step
    Run.objects.bulk_create(runs, ignore_conflicts=True, batch_size=200)
    newest, good = runs[-1], runs[-1].status in GOOD
    since = next((one.completed_at for one in reversed(runs) if (one.status in GOOD) != good), first)
    Monitor.objects.filter(pk=monitor.pk).update(
        last_run=newest.pk, last_run_at=newest.started_at, last_status=newest.status,
        last_p95_ms=(newest.metrics or {}).get("p95"), last_error_rate=(newest.metrics or {}).get("errorRate"),
        state_since_at=since,
    )  # fmt: skip


def _run(seed: int, monitor: Monitor, check: Check, at: datetime, *, failing: bool) -> Run:
    """A run that is over and counted: history opens no alerts."""
    outcome = measured(seed, check, at, failing=failing)
    status, breaches = verdict(outcome, check.thresholds)
    run = services.draft(monitor=monitor, script_id=None, trigger=Trigger.SCHEDULE, now=at, scheduled_at=at)
    run.pk = number(seed, "run", monitor.pk, at.timestamp())
    run.status, run.breaches, run.exit_code = status, breaches, 0
    run.metrics = judge.rounded(outcome.metrics or {})
    run.started_at = at + timedelta(milliseconds=400)
    run.completed_at = run.counted_at = run.started_at + timedelta(milliseconds=SAMPLES * run.metrics["avg"])
    return run


def measured(seed: int, check: Check, at: datetime, *, failing: bool) -> Outcome:
    """Figures of one run at a moment, the same each time."""
    random = Random(f"{seed}:{check.name}:{int(at.timestamp()) // 30}")  # noqa: S311 - pictures, not secrets
    wave = 1 + 0.25 * math.sin(2 * math.pi * at.timestamp() / 86_400 - 1.9)
    slow = check.slow if failing else random.choice((1, 1, 1, 1, 1, 1.15, 1.4))  # noqa: S311
    p50 = check.usual_ms * wave * slow * random.uniform(0.9, 1.1)
    failed = round(SAMPLES * check.errors * random.choice((0, 0, 0, 1, 1, 2, 3)))  # noqa: S311
    p95 = p50 * random.uniform(1.25, 1.6)
    return Outcome(
        exit_code=0,
        metrics={
            "p50": p50,
            "p95": p95,
            "p99": p95 * 1.2,
            "avg": p50 * 1.06,
            "min": p50 * 0.7,
            "max": p95 * 1.35,
            "errorRate": failed / SAMPLES,
            "throughput": 1000 / p50,
            "samples": SAMPLES,
            "failed": failed,
            "apdex": max(0.0, min(1.0, 1.35 - p95 / 2000) - failed / SAMPLES),
        },
    )


def move(names: Names, now: datetime) -> int:
    """Make the runs that wait for the demo agent, as an agent elsewhere does; how many."""
    agent = Agent.objects.current().filter(pk=AGENT).first()
    if agent is None:
        return 0
    _beat(agent, now)
    checks: dict[UUID, Check] = dict(zip(names.monitors, CHECKS, strict=True))
    for done in range(MOST_AT_ONCE):
        run = remote.claim_next(agent=agent, now=now)
        if run is None:
            return done
        check = checks.get(run.monitor_id)
        if check is None:  # somebody gave the demo agent a monitor of their own: nothing is made up for that
            error = ("agent_unavailable", "The demo agent makes only the runs of demo monitors.")
            services.finish(run=run, status=Status.ERROR, now=now, error=error)
            continue
        _perform(names.seed, agent, run, check, now)
    return MOST_AT_ONCE


def _perform(seed: int, agent: Agent, run: Run, check: Check, now: datetime) -> None:
    outcome = measured(seed, check, now, failing=True)
    told = [f"demo: no request is sent to {URL}{check.path}"]
    told += [f"request {place + 1} of {SAMPLES}: {one:.0f} ms" for place, one in enumerate(_times(outcome.metrics))]
    remote.append_log(agent=agent, run_id=run.pk, data="\n".join([*told, ""]).encode(), offset=None, now=now)
    remote.complete(agent=agent, run_id=run.pk, report=remote.Report(outcome), now=now)


def _times(metrics: dict[str, Any] | None) -> list[float]:
    p50, p95 = (metrics or {}).get("p50", 0.0), (metrics or {}).get("p95", 0.0)
    return [p50 + (p95 - p50) * (place * 7 % SAMPLES) / SAMPLES for place in range(SAMPLES)]


def queue_two(names: Names, now: datetime) -> None:
    """A run of the monitor that passes and one of that which fails, outside of their schedules."""
    for monitor in Monitor.objects.filter(pk__in=names.monitors[:2]):
        if not Run.objects.active().filter(monitor=monitor).exists():
            with transaction.atomic():
                services.add(monitor=monitor, trigger=Trigger.SCHEDULE, now=now)


def _beat(agent: Agent, now: datetime) -> None:
    told = {"host": "demo", "version": VERSION, "tools": {"http": VERSION}, "capacity": 4}
    beats.beat_of(agent=agent, told=told, now=now)
