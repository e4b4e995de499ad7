"""Series for charts: few points, whole steps, holes shown as holes."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from statistics import median
from typing import Any

from config import timeseries
from config.timeseries import Query, bucket, largest, mean, rows_of
from fleet.metrics.models import Rollup
from fleet.metrics.queries import FUTURE
from fleet.metrics.sources import Scope, figures
from fleet.metrics.upkeep import kept_for

STEPS_S = (*(10, 30, 60, 120, 300, 600, 900, 1800, 3600, 7200, 10800, 21600, 43200, 86400), *(172800, 604800))
LEAST_STEP_OF_MANY_S = 60  # machines report at moments of their own
DAY_S = 86400
HOLE = 2.5  # this many usual distances without a point are a hole


@dataclass(frozen=True)
class Line:
    """One curve of a chart: a column of samples, its label and unit."""

    column: str
    label: str
    unit: str


CHARTS: dict[str, tuple[Line, ...]] = {
    "cpu": (Line("cpu_pct", "CPU", "%"),),
    "memory": (Line("mem_pct", "Memory", "%"),),
    "disk": (Line("disk_pct", "Disk", "%"),),
    "network": (Line("net_rx_bps", "Received", "B/s"), Line("net_tx_bps", "Sent", "B/s")),
    "disk_io": (Line("disk_read_bps", "Read", "B/s"), Line("disk_write_bps", "Written", "B/s")),
    "load": (
        Line("load1", "Load, 1 minute", ""),
        Line("load5", "Load, 5 minutes", ""),
        Line("load15", "Load, 15 minutes", ""),
    ),
    "swap": (Line("swap_used", "Swap", "B"),),
}
HIGHEST = {"load5", "load15"}  # of these the highest is not kept


def chart(
    scope: Scope, *, metrics: Sequence[str], since: datetime, until: datetime, max_points: int, now: datetime
) -> dict[str, Any]:
    """The curves of the named charts (keys of CHARTS) from `since` until `until`, at most `max_points` points each.

    `{"series": [{"label", "unit", "points": [[unix seconds, value or None], …]}], "from", "to", "step"}`; a None
    stands in each hole. One instance has one curve a line; several have the mean and the highest of all.
    """
    lines = [line for metric in metrics for line in CHARTS[metric]]
    asked, since = (since, until), max(since, now - kept_for()[Rollup.Resolution.DAY])
    until = min(until, now + FUTURE)
    step_s, rows = None, None
    if scope.instance_id:
        rows = _samples(scope, lines, since, until, max_points)
    if rows is None:
        step_s = step_for(scope, since=since, until=until, max_points=max_points, now=now)
        rows = _buckets(scope, lines, since, until, step_s, now)
    names = _names(scope, lines)
    series = [
        {"label": label, "unit": line.unit, "points": with_holes([(row[0], row[place]) for row in rows], step_s)}
        for place, (line, label, _) in enumerate(names, start=1)
    ]
    return {"series": series, "from": asked[0].timestamp(), "to": asked[1].timestamp(), "step": step_s}


def step_for(scope: Scope, *, since: datetime, until: datetime, max_points: int, now: datetime) -> int:
    """The shortest step in seconds that needs no more points, and for which figures are kept so far back."""
    least = 0 if scope.instance_id else LEAST_STEP_OF_MANY_S
    kept = kept_for()
    if since < now - kept[Rollup.Resolution.HOUR]:
        least = DAY_S
    elif since < now - kept[0]:
        least = 60 * Rollup.Resolution.FIVE_MINUTES
    needed = max(least, (until - since).total_seconds() / max_points)
    return next((step for step in STEPS_S if step >= needed), STEPS_S[-1])


def with_holes(points: Iterable[tuple[float, float | None]], step_s: float | None) -> list[list[float | None]]:
    """Points as lists, with a None after the last point before each hole."""
    given = list(points)
    usual = step_s or _usual_distance([at for at, _ in given])
    filled: list[list[float | None]] = []
    for at, value in given:
        if filled and usual and at - filled[-1][0] > HOLE * usual:
            filled.append([filled[-1][0] + usual, None])
        filled.append([at, value])
    return filled


def _usual_distance(moments: Sequence[float]) -> float | None:
    distances = [after - before for before, after in zip(moments, moments[1:], strict=False)]
    return median(distances) if distances else None


def _names(scope: Scope, lines: Sequence[Line]) -> list[tuple[Line, str, str]]:
    """Line, label and roll-up column of each curve."""
    if scope.instance_id:
        return [(line, line.label, f"{line.column}_avg") for line in lines]
    names = []
    for line in lines:
        names.append((line, f"{line.label}, mean", f"{line.column}_avg"))
        if line.column not in HIGHEST:
            names.append((line, f"{line.label}, highest", f"{line.column}_max"))
    return names


def _samples(
    scope: Scope, lines: Sequence[Line], since: datetime, until: datetime, max_points: int
) -> list[tuple] | None:
    """Every sample, if there are few enough; else None."""
    query = Query(
        f"SELECT ts, {', '.join(line.column for line in lines)} FROM metric_sample "  # noqa: S608
        f"WHERE {scope.of_samples.sql} AND ts >= %s AND ts < %s ORDER BY ts LIMIT {max_points + 1}",
        [*scope.of_samples.params, since, until],
    )
    rows = rows_of(query, times=[0])
    return None if len(rows) > max_points else _timed(rows)


def _buckets(
    scope: Scope, lines: Sequence[Line], since: datetime, until: datetime, step_s: int, now: datetime
) -> list[tuple]:
    columns = {name for _, _, name in _names(scope, lines)}
    since -= timedelta(seconds=since.timestamp() % step_s)  # the first bucket is a whole one
    if since >= until:
        return []
    source = figures(scope, columns, since=since, until=until, step_s=step_s, now=now)
    read: Mapping[str, Any] = {"at": bucket(step_s)} | {
        name: mean(name, "n") if name.endswith("_avg") else largest(name) for _, _, name in _names(scope, lines)
    }
    query = timeseries.bucketed(source, read, since=since, until=until)
    return _timed(rows_of(Query(f"{query.sql} ORDER BY at", query.params), times=[0]))


def _timed(rows: Iterable[tuple]) -> list[tuple]:
    return [(at.timestamp(), *(None if one is None else float(f"{one:.7g}") for one in rest)) for at, *rest in rows]
