"""Sums of figures over the last minutes or hours, from which a mean without the newest sample can be told."""

from collections.abc import Iterable, Mapping
from datetime import datetime, timedelta
from typing import NamedTuple

from config.timeseries import Query, rows_of
from fleet.instances.models import InstanceQuerySet
from fleet.metrics.models import MEAN_AND_MAX, SAMPLES
from fleet.metrics.sources import Scope, figures

RAW_UP_TO_S, MINUTES_UP_TO_S = 3600, 6 * 3600


class Sum(NamedTuple):
    """`n` samples since `since` add up to `total`."""

    n: int
    total: float
    since: datetime

    def without(self, value: float, at: datetime | None) -> float | None:
        """The mean of the others, if a sample of that value and time is among them; None when none is left."""
        inside = at is not None and at >= self.since
        n, total = (self.n - 1, self.total - value) if inside else (self.n, self.total)
        return total / n if n > 0 else None


def sums(
    windows: Mapping[int, Iterable[str]], instances: InstanceQuerySet, *, now: datetime
) -> dict[tuple[int, str, str], Sum]:
    """By window (seconds until `now`), column of the samples and instance id; one statement for each window.

    Windows of more than an hour read roll-ups where there are any, so that a day costs 24 rows an instance.
    """
    found = {}
    for length_s, wanted in sorted(windows.items()):
        columns = sorted(set(wanted))
        if unknown := set(columns) - set(MEAN_AND_MAX):
            raise ValueError(f"{', '.join(unknown)}: not kept in roll-ups")
        since = now - timedelta(seconds=length_s)
        source = _source(length_s, columns, instances, since, now)
        parts = "".join(
            f", SUM(CASE WHEN {name}_avg IS NOT NULL THEN n END), SUM(CAST({name}_avg AS double precision) * n)"
            for name in columns
        )
        sql = f"SELECT subject_id{parts} FROM ({source.sql}) AS source GROUP BY subject_id"  # noqa: S608
        for instance_id, *values in rows_of(Query(sql, source.params)):
            for place, name in enumerate(columns):
                n, total = values[2 * place : 2 * place + 2]
                if n:
                    found[length_s, name, instance_id] = Sum(int(n), float(total), since)
    return found


def _source(length_s: int, columns: list[str], instances: InstanceQuerySet, since: datetime, until: datetime) -> Query:
    scope = Scope.instances(instances)
    if length_s > RAW_UP_TO_S:
        step_s = 300 if length_s <= MINUTES_UP_TO_S else 3600
        names = [f"{name}_avg" for name in columns]
        return figures(scope, names, since=since, until=until, step_s=step_s, now=until)
    read = "".join(f", {name} AS {name}_avg" for name in columns)
    return Query(
        f"SELECT instance_id AS subject_id, 1 AS n{read} FROM {SAMPLES.name} "  # noqa: S608
        f"WHERE {scope.of_samples.sql} AND ts >= %s AND ts <= %s",
        [*scope.of_samples.params, since, until],
    )
