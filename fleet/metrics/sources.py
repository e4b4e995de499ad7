"""Where a read finds its figures: roll-ups for whole buckets, samples for what no roll-up has counted yet.

So a chart of a week reads hours, and yet shows the sample of a second ago; a bucket at the edge of a range holds only
what lies inside the range, as long as finer figures are kept.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from django.db.models import QuerySet

from config.timeseries import Query
from fleet.metrics.models import Rollup, TouchedBucket
from fleet.metrics.rollup import floor
from fleet.metrics.upkeep import kept_for

RAW = 0
MOST_PENDING = 200
Piece = tuple[int, datetime, datetime]  # resolution in minutes (RAW for samples), since, until


@dataclass(frozen=True)
class Scope:
    """Whose figures are read: single instances, a team as a whole, or the whole fleet."""

    kind: int
    of_samples: Query
    of_rollups: Query
    instance_id: str | None = None

    @classmethod
    def instance(cls, instance_id: str) -> "Scope":
        return cls(
            Rollup.Subject.INSTANCE,
            Query("instance_id = %s", [instance_id]),
            Query("subject_id = %s", [instance_id]),
            instance_id,
        )

    @classmethod
    def instances(cls, found: QuerySet) -> "Scope":
        """Each instance that the queryset finds."""
        sql, params = found.order_by().values("pk").query.sql_with_params()
        return cls(
            Rollup.Subject.INSTANCE,
            Query(f"instance_id IN ({sql})", params),
            Query(f"subject_id IN ({sql})", params),
        )

    @classmethod
    def team(cls, team_id: str) -> "Scope":
        return cls(
            Rollup.Subject.TEAM,
            Query("instance_id IN (SELECT id FROM fleet_instance WHERE team_id = %s)", [team_id]),
            Query("subject_id = %s", [team_id]),
        )

    @classmethod
    def fleet(cls) -> "Scope":
        return cls(Rollup.Subject.FLEET, Query("1 = 1"), Query("subject_id = ''"))


def figures(
    scope: Scope, names: Iterable[str], *, since: datetime, until: datetime, step_s: int, now: datetime
) -> Query:
    """Rows `subject_id, ts, n` and the named columns of ROLLUPS (`cpu_pct_avg`, …) for buckets of `step_s` seconds."""
    columns = sorted(set(names))
    selects, params = [], []
    for resolution, spans in _by_resolution(pieces(scope, since=since, until=until, step_s=step_s, now=now)).items():
        ranges = " OR ".join(["(ts >= %s AND ts < %s)"] * len(spans))
        moments = [moment for span in spans for moment in span]
        if resolution == RAW:
            read = "".join(f", {name.rpartition('_')[0]} AS {name}" for name in columns)
            selects.append(
                f"SELECT instance_id AS subject_id, ts, 1 AS n{read} FROM metric_sample "  # noqa: S608
                f"WHERE {scope.of_samples.sql} AND ({ranges})"
            )
            params += [*scope.of_samples.params, *moments]
        else:
            read = "".join(f", {name}" for name in columns)
            selects.append(
                f"SELECT subject_id, ts, n{read} FROM metric_rollup WHERE resolution = %s AND subject_kind = %s "  # noqa: S608
                f"AND {scope.of_rollups.sql} AND ({ranges})"
            )
            params += [resolution, scope.kind, *scope.of_rollups.params, *moments]
    return Query(" UNION ALL ".join(selects), params)


def pieces(scope: Scope, *, since: datetime, until: datetime, step_s: int, now: datetime) -> list[Piece]:
    """Which figures to read for which part of the range, in order of time."""
    levels = [int(level) for level in reversed(Rollup.Resolution) if step_s % (60 * level) == 0]
    if not levels:
        return [(RAW, since, until)]
    marks = TouchedBucket.objects.filter(bucket_at__gte=floor(since, 5), bucket_at__lt=until)
    if scope.instance_id:
        marks = marks.filter(instance_id__in=["", scope.instance_id])
    pending = sorted(set(marks.values_list("bucket_at", flat=True)))
    if len(pending) > MOST_PENDING:  # many single ones: whole hours, so that the statement stays short
        hours = {floor(mark, Rollup.Resolution.HOUR) for mark in pending}
        pending = sorted(hour + timedelta(minutes=minutes) for hour in hours for minutes in range(0, 60, 5))
    return _merged(_split(levels, since, until, pending, now))


def _split(
    levels: Sequence[int], since: datetime, until: datetime, pending: Sequence[datetime], now: datetime
) -> list[Piece]:
    if since >= until:
        return []
    if not levels:
        return [(RAW, since, until)]
    level, *finer = levels
    step = timedelta(minutes=level)
    finer_since = now - kept_for()[finer[0] if finer else RAW]
    first, end = floor(since, level), floor(until, level)
    if first < since:
        # Beyond what is kept in more detail, a bucket counts by its start.
        first = first + step if since >= finer_since else since
    if first >= end:
        return _split(finer, since, until, pending, now)
    found = _split(finer, since, first, pending, now)
    at = first
    for bucket in sorted({floor(mark, level) for mark in pending}):
        if at <= bucket < end:
            found += [(level, at, bucket), *_split(finer, bucket, bucket + step, pending, now)]
            at = bucket + step
    return [*found, (level, at, end), *_split(finer, end, until, pending, now)]


def _merged(found: Iterable[Piece]) -> list[Piece]:
    merged: list[Piece] = []
    for level, since, until in found:
        if since >= until:
            continue
        if merged and merged[-1][0] == level and merged[-1][2] == since:
            merged[-1] = (level, merged[-1][1], until)
        else:
            merged.append((level, since, until))
    return merged


def _by_resolution(found: Iterable[Piece]) -> dict[int, list[tuple[datetime, datetime]]]:
    grouped: dict[int, list[tuple[datetime, datetime]]] = {}
    for level, since, until in found:
        grouped.setdefault(level, []).append((since, until))
    return grouped
