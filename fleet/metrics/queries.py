"""Reads of metrics: series of points, sums over a range, newest figures, charts (contract: fleet console §6)."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from config import timeseries
from config.timeseries import Query, bucket, group, largest, mean, rows_of, total
from fleet.instances.models import InstanceQuerySet
from fleet.metrics.sources import RAW, Scope, figures
from fleet.metrics.upkeep import kept_for

FIGURES = (
    *("cpu_pct", "mem_used", "mem_total", "disk_used", "disk_total", "load1", "load5", "load15"),
    *("net_tx", "net_rx", "net_tx_bps", "net_rx_bps"),
)
FUTURE = timedelta(minutes=10)  # a sample may be dated so far ahead
USUAL_GAP_S = 30
MOST_POINTS = 20_000
LATEST_MAX = 10_000
RANGES = {"1h": (3600, RAW), "6h": (6 * 3600, 60), "24h": (86400, 300), "7d": (7 * 86400, 3600)}
COARSER = (RAW, 60, 300, 3600, 86400)


@dataclass(frozen=True)
class Point:
    """The figures of one instance at one moment, or their means over the bucket that begins there."""

    at: datetime
    instance_id: str
    values: Mapping[str, Any]


def points(
    scope: Scope, *, since: datetime, until: datetime, step_s: int, limit: int, subjects: int, now: datetime
) -> list[Point]:
    """The first `limit` points from `since` on, by time and then instance. `step_s` 0 means single samples.

    `subjects` is how many instances the scope has; the range is read in portions that hold about what is asked for.
    """
    since = max(since, now - _reach(step_s))
    until = min(until, now + FUTURE)
    width = timedelta(seconds=(step_s or USUAL_GAP_S) * -(-limit // max(subjects, 1)))
    found: list[Point] = []
    while since < until and len(found) < limit:
        end = _aligned(min(since + width, until), step_s, until)
        found += _portion(scope, since, end, step_s, limit - len(found), now)
        since, width = end, 4 * width
    return found


def _reach(step_s: int) -> timedelta:
    """How far back there are figures for buckets of that length."""
    kept = kept_for()
    levels = [level for level in kept if level == RAW or (step_s and step_s % (60 * level) == 0)]
    return max(kept[level] for level in levels) + timedelta(days=1)


def _aligned(end: datetime, step_s: int, until: datetime) -> datetime:
    """The end of a portion, moved on to the end of its bucket."""
    if not step_s or end >= until:
        return end
    return min(end + timedelta(seconds=-end.timestamp() % step_s), until)


def _portion(scope: Scope, since: datetime, until: datetime, step_s: int, limit: int, now: datetime) -> list[Point]:
    if step_s:
        names = {f"{name}_avg": mean(f"{name}_avg", "n") for name in FIGURES}
        source = figures(scope, names, since=since, until=until, step_s=step_s, now=now)
        columns = {"subject_id": group("subject_id"), "at": bucket(step_s)} | names
        query = timeseries.bucketed(source, columns, since=since, until=until)
    else:
        query = Query(
            f"SELECT instance_id AS subject_id, ts AS at, {', '.join(FIGURES)} FROM metric_sample "  # noqa: S608
            f"WHERE {scope.of_samples.sql} AND ts >= %s AND ts < %s",
            [*scope.of_samples.params, since, until],
        )
    ordered = Query(f"{query.sql} ORDER BY at, subject_id LIMIT {int(limit)}", query.params)
    return [
        Point(at, instance_id, dict(zip(FIGURES, values, strict=True)))
        for instance_id, at, *values in rows_of(ordered, times=[1])
    ]


def recent(scope: Scope, *, range: str, subjects: int, now: datetime) -> tuple[datetime, list[Point]]:
    """The start of a named range and its points; coarser than usual when a large fleet is asked for at once."""
    length_s, usual = RANGES[range]
    since = now - timedelta(seconds=length_s)
    found: list[Point] = []
    for step_s in COARSER[COARSER.index(usual) :]:
        if step_s and step_s != COARSER[-1] and subjects * length_s / step_s > MOST_POINTS:
            continue
        found = points(
            scope, since=since, until=now + FUTURE, step_s=step_s, limit=MOST_POINTS + 1, subjects=subjects, now=now
        )
        if len(found) <= MOST_POINTS:
            break
    return since, found[:MOST_POINTS]


@dataclass(frozen=True)
class Aggregate:
    """Sums over a range for one instance; None where nothing was measured."""

    instance_id: str
    n: int
    cpu_pct_avg: float | None
    cpu_pct_max: float | None
    mem_used_avg: float | None
    mem_used_max: int | None
    disk_used_avg: float | None
    disk_used_max: int | None
    load1_avg: float | None


def aggregates(scope: Scope, *, since: datetime, until: datetime, now: datetime) -> list[Aggregate]:
    """Means and maxima from `since` until `until` of each instance that has samples there, by instance."""
    names = [name for name in Aggregate.__annotations__ if name.endswith(("_avg", "_max"))]
    since, until = max(since, now - _reach(86400)), min(until, now + FUTURE)
    if since >= until:
        return []
    source = figures(scope, names, since=since, until=until, step_s=86400, now=now)
    columns = {"subject_id": group("subject_id"), "n": total("n")} | {
        name: mean(name, "n") if name.endswith("_avg") else largest(name) for name in names
    }
    query = timeseries.bucketed(source, columns, since=since, until=until)
    return [Aggregate(*row) for row in rows_of(Query(f"{query.sql} ORDER BY 1", query.params))]


def latest(instances: InstanceQuerySet) -> list[tuple[str, dict[str, Any]]]:
    """Instance ids and their newest figures, by id; those that never sent any are left out."""
    found = instances.filter(last_sample__isnull=False).order_by("pk").values_list("pk", "last_sample")
    return [(instance_id, figures) for instance_id, figures in found[:LATEST_MAX] if figures and "at" in figures]
