"""Roll-ups: samples summed up by 5 minutes, hour and day, for each instance, each team and the fleet.

Each commit of samples marks the 5-minute buckets it touched. A roll-up takes the marks away and computes these
buckets, and the hours and days they lie in, from scratch in the same transaction: doing it twice changes nothing,
late samples count as soon as they come, and what is still marked is read from the samples (`fleet.metrics.sources`).
"""

from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass, replace
from datetime import datetime, timedelta

from django.db import transaction

from config import timeseries
from config.timeseries import Column, Query, bucket, const, count, group, largest, last, mean, total
from fleet.metrics.models import LAST, MEAN, MEAN_AND_MAX, ROLLUPS, SAMPLES, Rollup, TouchedBucket

MARKS_AT_ONCE = 500
Resolution, Subject = Rollup.Resolution, Rollup.Subject
STEP = timedelta(minutes=Resolution.FIVE_MINUTES)
BY_TEAM = (
    "SELECT i.team_id, r.* FROM metric_rollup r JOIN fleet_instance i ON i.id = r.subject_id "
    "WHERE r.resolution = %s AND r.subject_kind = %s AND i.team_id IS NOT NULL"
)


@dataclass(frozen=True)
class Span:
    """Neighbouring 5-minute buckets that were touched by these instances; none named means all."""

    since: datetime
    until: datetime
    instances: tuple[str, ...] = ()

    def widened(self, resolution: int) -> "Span":
        """The whole buckets of a resolution that the span lies in."""
        since, until = floor(self.since, resolution), floor(self.until, resolution)
        if until < self.until:
            until += timedelta(minutes=resolution)
        return replace(self, since=since, until=until)

    def only(self, column: str) -> Query:
        """The condition that a row is about one of the instances."""
        if not self.instances:
            return Query("1 = 1")
        return Query(f"{column} IN ({', '.join(['%s'] * len(self.instances))})", self.instances)


def floor(at: datetime, minutes: int) -> datetime:
    """The start of the bucket of that many minutes, aligned to UTC."""
    return at - timedelta(seconds=at.timestamp() % (60 * minutes))


def roll_up() -> int:
    """Compute everything that is marked; returns how many buckets that was."""
    settled = 0
    while marks := _settle_some():
        settled += marks
    return settled


@transaction.atomic
def _settle_some() -> int:
    marks = TouchedBucket.objects.values_list("bucket_at", "instance_id").distinct()
    some = list(marks.order_by("bucket_at", "instance_id")[:MARKS_AT_ONCE])
    spans = spans_of(some)
    # Marks go first: a sample whose mark is gone has been committed, so the reads below see it.
    for span in spans:
        _take_marks(span)
    for span in spans:
        _compute(span)
    return len(some)


def spans_of(marks: Iterable[tuple[datetime, str]]) -> list[Span]:
    """The fewest spans that hold all marked buckets. Where all instances are marked ("") none is named."""
    touched: dict[datetime, set[str]] = defaultdict(set)
    for at, instance_id in marks:
        touched[at].add(instance_id)
    spans: list[Span] = []
    for at in sorted(touched):
        instances = () if "" in touched[at] else tuple(sorted(touched[at]))
        if spans and spans[-1].until == at and spans[-1].instances == instances:
            spans[-1] = replace(spans[-1], until=at + STEP)
        else:
            spans.append(Span(at, at + STEP, instances))
    return spans


def _take_marks(span: Span) -> None:
    marks = TouchedBucket.objects.filter(bucket_at__gte=span.since, bucket_at__lt=span.until)
    if span.instances:
        marks = marks.filter(instance_id__in=span.instances)
    marks.delete()


def _compute(span: Span) -> None:
    """The 5-minute rows from samples, hours from those, days from hours; then teams and the fleet of each."""
    finer = None
    for resolution in Resolution:
        wide = span.widened(resolution)
        if finer is None:
            read = _read(SAMPLES, _summary(resolution, Subject.INSTANCE, group("instance_id")), wide, "instance_id")
        else:
            columns = _summary(resolution, Subject.INSTANCE, group("subject_id"), weight="n")
            read = _read(_rows(finer), columns, wide, "subject_id")
        timeseries.upsert(ROLLUPS, read)
        everyone = replace(wide, instances=())
        teams = _summary(resolution, Subject.TEAM, group("team_id"), weight="n")
        timeseries.upsert(ROLLUPS, _read(Query(BY_TEAM, [resolution, Subject.INSTANCE]), teams, everyone))
        fleet = _summary(resolution, Subject.FLEET, const(""), weight="n")
        timeseries.upsert(ROLLUPS, _read(_rows(resolution), fleet, everyone))
        finer = resolution


def _rows(resolution: int) -> Query:
    return Query(
        "SELECT * FROM metric_rollup WHERE resolution = %s AND subject_kind = %s", [resolution, Subject.INSTANCE]
    )


def _read(source: Query | timeseries.Table, columns: dict[str, Column], span: Span, subject: str = "") -> Query:
    return timeseries.bucketed(source, columns, since=span.since, until=span.until, where=span.only(subject))


def _summary(resolution: int, kind: int, subject: Column, *, weight: str = "") -> dict[str, Column]:
    """The columns of ROLLUPS, from samples or (with a weight) from finer rows. Counters of many have no last value."""
    means, maxima, lasts = ("_avg", "_max", "_last") if weight else ("", "", "")
    return (
        {
            "resolution": const(int(resolution)),
            "subject_kind": const(int(kind)),
            "subject_id": subject,
            "ts": bucket(60 * resolution),
            "n": total("n") if weight else count(),
        }
        | {f"{name}_avg": mean(name + means, weight) for name in (*MEAN_AND_MAX, *MEAN)}
        | {f"{name}_max": largest(name + maxima) for name in MEAN_AND_MAX}
        | {f"{name}_last": last(name + lasts) if kind == Subject.INSTANCE else const(None) for name in LAST}
    )
