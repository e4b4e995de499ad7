"""The events that objectives count: finished runs of monitors, and requests of load runs."""

from collections.abc import Iterator
from datetime import datetime, timedelta
from typing import Any

from alerts.objectives.burning import Share
from alerts.objectives.models import Indicator, Objective
from loadtest.runs.models import Kind
from loadtest.runs.models import Run as LoadRun
from monitors.runs.models import BAD, GOOD, Run, Status

LONGEST_RUN = timedelta(days=1)  # from queued to over; lets the index by monitor and time find runs


def ended(objective: Objective, since: datetime, until: datetime) -> Iterator[tuple[datetime, Share]]:
    """What ended from `since` until just before `until`: when, and how much of it was good."""
    return _checks(objective, since, until) if objective.monitor_id else _load(objective, since, until)


def _checks(objective: Objective, since: datetime, until: datetime) -> Iterator[tuple[datetime, Share]]:
    runs = Run.objects.filter(
        monitor=objective.monitor_id,
        queued_at__gte=since - LONGEST_RUN,
        completed_at__gte=since,
        completed_at__lt=until,
        status__in=(*GOOD, *BAD),
    )
    facts: Any = runs.order_by().values_list("completed_at", "status", "metrics__p95")
    for at, status, p95 in facts.iterator():
        if objective.indicator == Indicator.AVAILABILITY:
            good = status in GOOD
        else:  # what could not be measured was not fast
            good = status in (Status.PASS, Status.FAIL) and p95 is not None and p95 <= (objective.latency_ms or 0)
        yield at, Share(int(good), 1)


def _load(objective: Objective, since: datetime, until: datetime) -> Iterator[tuple[datetime, Share]]:
    runs = LoadRun.objects.visible().filter(
        kind=Kind.LOAD, request_id=objective.request_id, ended_at__gte=since, ended_at__lt=until, report__isnull=False
    )
    facts: Any = runs.order_by().values_list("ended_at", "report")
    for at, report in facts.iterator(chunk_size=50):
        summary, p95 = report.get("summary") or {}, (report.get("latency") or {}).get("p95")
        total = summary.get("totalRequests", 0)
        if not total:
            continue
        if objective.indicator == Indicator.AVAILABILITY:
            yield at, Share(min(summary.get("successfulRequests", 0), total), total)
        elif p95 is not None:
            yield at, Share(int(p95 <= (objective.latency_ms or 0)), 1)
