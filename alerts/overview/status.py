"""How the platform itself is: its parts, who works, what waits. Unknown is told as unknown."""

import time
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from django.conf import settings
from django.db.models import Count, Min, Q

from alerts.channels.models import Notification, State
from config import health
from config.checks import examine
from config.live import hub
from config.version import VERSION
from fleet.metrics.models import TouchedBucket
from monitors.agents.models import Worker
from monitors.runs.lateness import lateness
from monitors.runs.models import Run
from monitors.runs.models import Status as RunStatus

LATE = timedelta(minutes=2)
LATE_FIRE_S = 10
LATE_ROLLUP = timedelta(minutes=15)
WORKERS = 50
STATES = {True: "ok", False: "down", None: "unknown"}


@dataclass(frozen=True)
class Line:
    """One fact: `state` is a value of the words for health."""

    name: str
    state: str
    text: str


@dataclass(frozen=True)
class Waiting:
    """Work that waits: how much, and since when the oldest has been due (None: nothing is)."""

    name: str
    count: int
    since: datetime | None
    state: str


def parts() -> list[Line]:
    """The platform's parts, as `pharos doctor` judges them, and how quickly database and broker answer."""
    pulses, lines = health.checks(), []
    for name, good, text in examine():
        if name == "shape":
            continue
        if name == "database" and good:
            text = f"{text}, answers in {pulses['database']['latencyMs']} ms"
        if name == "broker" and good and not settings.EMBEDDED:
            text = f"{text} in {pulses['redis']['latencyMs']} ms"
        lines.append(Line(name, STATES[good], text))
    return lines


def about() -> dict[str, Any]:
    """Version, shape, and how many live streams are open (None: several processes have a hub each)."""
    return {
        "version": VERSION,
        "embedded": settings.EMBEDDED,
        "readers": hub.readers() if settings.EMBEDDED else None,
        "uptime_s": time.time() - health.STARTED,
    }


def punctuality(now: datetime) -> Line:
    """How late the runs of monitors are queued: judged by what waits now, told by the last 15 minutes."""
    found = lateness(now)
    if found.p99_s is None or found.p50_s is None or found.max_s is None:
        text = "no scheduled run in the last 15 minutes"
    else:
        text = (
            f"{found.runs} runs in the last 15 minutes were queued {found.p50_s:.1f} s after their minute at the "
            f"median, {found.p99_s:.1f} s at the 99th percentile, {found.max_s:.1f} s at most"
        )
    if found.overdue_s > LATE_FIRE_S:
        return Line("monitor schedules", "late", f"a monitor has been due for {found.overdue_s:.0f} s; {text}")
    return Line("monitor schedules", "unknown" if found.p99_s is None else "ok", text)


def queues(now: datetime) -> list[Waiting]:
    """What waits to be done."""
    runs = Run.objects.filter(status=RunStatus.QUEUED, waiting=False).aggregate(
        count=Count("pk"), since=Min("ready_at")
    )
    pending = Notification.objects.filter(state=State.PENDING).aggregate(
        count=Count("pk"), since=Min("due_at", filter=Q(due_at__lte=now))
    )
    buckets = TouchedBucket.objects.aggregate(count=Count("bucket_at", distinct=True), since=Min("bucket_at"))
    return [
        _waiting("Runs of monitors", runs, now, LATE),
        _waiting("Notifications", pending, now, LATE),
        _waiting("5-minute buckets to roll up", buckets, now, LATE_ROLLUP),
    ]


def _waiting(name: str, found: dict[str, Any], now: datetime, late: timedelta) -> Waiting:
    since = found["since"]
    return Waiting(name, found["count"], since, "late" if since and now - since > late else "ok")


def workers(now: datetime) -> list[dict[str, Any]]:
    """The processes that take runs of monitors, and what each place does now."""
    busy = dict(
        Run.objects.filter(status=RunStatus.RUNNING).order_by("agent").values_list("agent").annotate(Count("pk"))
    )
    online = Worker.objects.online(now).select_related("agent").order_by("agent_id", "host", "pk")[:WORKERS]
    return [{"worker": worker, "running": busy.get(worker.agent_id, 0)} for worker in online]
