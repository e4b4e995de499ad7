"""What is stored of the figures of many instances, in few enough rows to go through at once."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from itertools import groupby
from typing import NamedTuple

from config import timeseries
from config.timeseries import Query, bucket, group, largest, mean, rows_of, total
from fleet.instances.models import Instance
from fleet.metrics.models import MEAN_AND_MAX, SAMPLES
from fleet.metrics.sources import Scope, figures

MOST_ROWS = 200_000
STEPS_S = (300, 3600)
AT_ONCE = 50  # instances of one read, so that the time spent can be looked at between reads


class Point(NamedTuple):
    """A sample, or what `n` samples of one step came to."""

    at: datetime
    value: float | None
    n: int


@dataclass(frozen=True)
class Course:
    """How the figures are read: single samples (`step_s` 0) or one value for each step, the highest or the mean."""

    ids: Sequence[str]
    column: str
    since: datetime
    until: datetime
    step_s: int
    highest: bool = False

    @property
    def basis(self) -> str:
        if not self.step_s:
            return "every sample"
        word = "highest" if self.highest else "mean"
        return f"the {word} of each {'hour' if self.step_s == 3600 else '5 minutes'}"


def course(ids: Sequence[str], column: str, *, since: datetime, until: datetime, highest: bool) -> Course:
    """The finest way to read so many instances over that time; beyond what the coarsest allows the rest is left out."""
    if len(ids) <= AT_ONCE and _samples_of(ids, since, until) <= MOST_ROWS:
        return Course(ids, column, since, until, 0)
    highest = highest and column in MEAN_AND_MAX
    length_s = (until - since).total_seconds()
    step_s = next((step for step in STEPS_S if len(ids) * length_s / step <= MOST_ROWS), STEPS_S[-1])
    return Course(ids[: int(MOST_ROWS * step_s / length_s)], column, since, until, step_s, highest)


def read(wanted: Course) -> Iterator[tuple[str, list[Point]]]:
    """The points of one instance after the other, each in order of time; one without any comes with none."""
    for start in range(0, len(wanted.ids), AT_ONCE):
        part = wanted.ids[start : start + AT_ONCE]
        query = _samples(wanted, part) if not wanted.step_s else _steps(wanted, part)
        found = {
            key: [Point(at, value, int(n)) for _, at, value, n in rows]
            for key, rows in groupby(rows_of(query, times=[1]), key=lambda row: row[0])
        }
        yield from ((key, found.get(key, [])) for key in part)


def _samples_of(ids: Sequence[str], since: datetime, until: datetime) -> int:
    marks = ", ".join(["%s"] * len(ids))
    few = f"SELECT 1 FROM {SAMPLES.name} WHERE instance_id IN ({marks}) AND ts >= %s AND ts <= %s LIMIT {MOST_ROWS + 1}"  # noqa: S608
    query = Query(f"SELECT count(*) FROM ({few}) AS counted", [*ids, since, until])  # noqa: S608
    return int(rows_of(query)[0][0]) if ids else 0


def _samples(wanted: Course, part: Sequence[str]) -> Query:
    marks = ", ".join(["%s"] * len(part))
    return Query(
        f"SELECT instance_id, ts, {wanted.column}, 1 FROM {SAMPLES.name} "  # noqa: S608
        f"WHERE instance_id IN ({marks}) AND ts >= %s AND ts <= %s ORDER BY instance_id, ts",
        [*part, wanted.since, wanted.until],
    )


def _steps(wanted: Course, part: Sequence[str]) -> Query:
    name = f"{wanted.column}_{'max' if wanted.highest else 'avg'}"
    since = wanted.since - timedelta(seconds=wanted.since.timestamp() % wanted.step_s)
    scope = Scope.instances(Instance.objects.filter(pk__in=part))
    source = figures(scope, [name], since=since, until=wanted.until, step_s=wanted.step_s, now=wanted.until)
    columns = {
        "subject_id": group("subject_id"),
        "at": bucket(wanted.step_s),
        "value": largest(name) if wanted.highest else mean(name, "n"),
        "n": total("n"),
    }
    query = timeseries.bucketed(source, columns, since=since, until=wanted.until)
    return Query(f"{query.sql} ORDER BY subject_id, at", query.params)
