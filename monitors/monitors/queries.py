"""Reads of monitors: filters, and what the pages show beside a row."""

import json
from collections.abc import Mapping
from datetime import datetime
from itertools import islice
from typing import Any
from uuid import UUID

from django.db.models import OuterRef, Q, QuerySet, Subquery, TextField, Value
from django.db.models.functions import Cast, StrIndex

from config.api.errors import Invalid
from monitors.monitors import cron
from monitors.monitors.models import Monitor, Tool
from monitors.runs.models import Run, Status

CHECKS = 40
MOST_MEASURED = 500  # runs in a chart
MOST_TAGS = 200  # in the list to choose from
LONGEST_SEARCH = 200


def filters(given: Mapping[str, str]) -> dict[str, Any]:
    """The filters of a query string; raises Invalid naming the one that cannot be read."""
    found: dict[str, Any] = {}
    faults: dict[str, list[str]] = {}
    for name, allowed in (("tool", Tool.values), ("status", Status.values), ("enabled", ("true", "false"))):
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


def last_checks(monitor_ids: list[UUID], *, most: int = CHECKS) -> dict[UUID, list[tuple[str, datetime]]]:
    """The newest finished runs of each monitor as (status, end), oldest first.

    Two queries, whatever the number of monitors and runs: first from when on each monitor's runs are wanted, then
    those runs, each found by the index. (A window function would walk the whole history.) The first query takes runs
    of any status, so that the index alone answers it: with a condition beside it the planner may sort the history.
    """
    newest = Run.objects.filter(monitor=OuterRef("pk")).newest_first().values("queued_at")
    since = Subquery(newest[most : most + 1])  # one more than wanted: the newest run may not be over yet
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


def measured(monitor: Monitor, *, since: datetime, most: int = MOST_MEASURED) -> list[Run]:
    """Finished runs since a moment that have figures, the oldest first."""
    rows = Run.objects.finished().filter(monitor=monitor, queued_at__gte=since, metrics__isnull=False)
    rows = rows.only("started_at", "queued_at", "metrics")
    return list(reversed(rows.newest_first()[:most]))


def known_tags() -> list[str]:
    """The tags in use, in order; at most MOST_TAGS of them."""
    combinations = Monitor.objects.exclude(tags=[]).values_list("tags", flat=True).distinct()
    return sorted({tag for tags in combinations for tag in tags})[:MOST_TAGS]


def with_tag(monitors: QuerySet[Monitor], tag: str) -> QuerySet[Monitor]:
    """Those with a tag. It is looked for in the JSON as text, since both databases know no look-up within a list."""
    text = Cast("tags", TextField())
    spellings = {json.dumps(tag), json.dumps(tag, ensure_ascii=False)}  # one for each way to store it
    found = Q()
    for number, spelling in enumerate(sorted(spellings)):
        monitors = monitors.alias(**{f"tag_{number}": StrIndex(text, Value(spelling))})
        found |= Q(**{f"tag_{number}__gt": 0})
    return monitors.filter(found)
