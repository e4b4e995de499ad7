"""Reads of monitors: filters, and what the pages show beside a row."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from itertools import islice
from typing import Any
from uuid import UUID

from django.db.models import Count, OuterRef, Q, QuerySet, Subquery

from config.api.errors import Invalid
from monitors.monitors import cron
from monitors.monitors.models import Monitor, Tool
from monitors.runs.models import BAD, GOOD, Run, Status
from monitors.tools.registry import UNAVAILABLE

CHECKS = 40
LONGEST_SEARCH = 200


def filters(given: Mapping[str, str]) -> dict[str, Any]:
    """The filters of a query string; raises Invalid naming the one that cannot be read."""
    found: dict[str, Any] = {}
    faults: dict[str, list[str]] = {}
    tools = (*Tool.values, *UNAVAILABLE)  # a filter for one that is not available finds nothing
    for name, allowed in (("tool", tools), ("status", Status.values), ("enabled", ("true", "false"))):
        value = given.get(name, "")
        if value and value not in allowed:
            faults[name] = [f"One of {', '.join(allowed)}."]
        elif value:
            found[name] = value == "true" if name == "enabled" else value
    if search := given.get("search", "").replace("\x00", "").strip()[:LONGEST_SEARCH]:
        found["search"] = search
    if faults:
        raise Invalid("A filter has an unknown value", details=faults)
    return found


def filtered(monitors: QuerySet[Monitor], wanted: Mapping[str, Any]) -> QuerySet[Monitor]:
    """By `tool`, `enabled`, `status` (of the newest finished run) and `search` (in names, any case)."""
    columns = {"tool": "tool", "enabled": "enabled", "status": "last_status", "search": "name__icontains"}
    return monitors.filter(**{columns[name]: value for name, value in wanted.items()})


@dataclass(frozen=True)
class Uptime:
    """The share of good runs in percent, by window; None without a counted run."""

    day: float | None
    week: float | None


def uptime(monitor: Monitor, now: datetime) -> Uptime:
    def counts(days: int, name: str) -> dict[str, Count]:
        since = Q(completed_at__gt=now - timedelta(days=days))
        return {
            f"{name}_good": Count("pk", filter=since & Q(status__in=GOOD)),
            f"{name}_all": Count("pk", filter=since & Q(status__in=(*GOOD, *BAD))),
        }

    recent = Run.objects.filter(monitor=monitor, queued_at__gt=now - timedelta(days=8))
    found = recent.aggregate(**counts(1, "day"), **counts(7, "week"))

    def share(name: str) -> float | None:
        return 100 * found[f"{name}_good"] / found[f"{name}_all"] if found[f"{name}_all"] else None

    return Uptime(share("day"), share("week"))


def last_checks(monitor_ids: list[UUID], *, most: int = CHECKS) -> dict[UUID, list[tuple[str, datetime]]]:
    """The newest finished runs of each monitor as (status, end), oldest first.

    Two queries, whatever the number of monitors and runs: first from when on each monitor's runs are wanted, then
    those runs, each found by the index. (A window function would walk the whole history.)
    """
    newest = Run.objects.finished().filter(monitor=OuterRef("pk")).newest_first().values("queued_at")
    since = Subquery(newest[most - 1 : most])
    starts = Monitor.objects.filter(pk__in=monitor_ids).annotate(since=since).values_list("pk", "since")
    wanted = Q()
    for key, start in starts:
        wanted |= Q(monitor_id=key, queued_at__gte=start) if start else Q(monitor_id=key)
    found: dict[UUID, list[tuple[str, datetime]]] = {key: [] for key in monitor_ids}
    if wanted:
        runs = Run.objects.finished().filter(wanted).order_by("queued_at", "pk")
        for key, status, completed_at in runs.values_list("monitor_id", "status", "completed_at"):
            if completed_at:  # a finished run has it; the database sees to that
                found[key].append((status, completed_at))
    return {key: checks[-most:] for key, checks in found.items()}


def next_times(schedule: str, time_zone: str, now: datetime, count: int = 5) -> list[datetime]:
    """The next fire times, in UTC; fewer when the schedule ends."""
    return list(islice(cron.fires(schedule, time_zone, now), count))


def measured(monitor: Monitor, *, since: datetime, most: int = 500) -> list[Run]:
    """Finished runs since a moment that have figures, the oldest first."""
    rows = Run.objects.finished().filter(monitor=monitor, queued_at__gte=since, metrics__isnull=False)
    return list(reversed(rows.newest_first()[:most]))


def known_tags() -> list[str]:
    """All tags in use, in order."""
    return sorted({tag for tags in Monitor.objects.exclude(tags=[]).values_list("tags", flat=True) for tag in tags})


def with_tag(tag: str) -> list[UUID]:
    """Monitors with a tag. Looked through here: a list in JSON has no look-up that both databases know."""
    rows = Monitor.objects.exclude(tags=[]).values_list("pk", "tags")
    return [key for key, tags in rows if tag in tags]
