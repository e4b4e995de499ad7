"""Reads of series and of their points."""

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from django.db.models import Count, Max, QuerySet

from config import timeseries
from config.api.authentication import Principal
from config.api.errors import NotFound
from config.timeseries import Query, bucket, group, largest, last, mean, rows_of, total
from fleet.collectors.models import POINTS, Kind, Series
from fleet.instances.models import Instance

MOST_POINTS = 2000
LARGEST_ID = 2**63 - 1


@dataclass(frozen=True)
class Value:
    """A point, or what the points of one step come to: `value` is their mean, of a counter the last, of deltas the sum.

    `highest` is the largest of them, `per_s` the growth a second since the value before; None where none can be told.
    """

    at: datetime
    value: float
    highest: float
    per_s: float | None


def of_instance(instance: Instance, *, search: str = "", name: str = "") -> QuerySet[Series]:
    """The series of an instance, by name; those whose name holds the text, or that have exactly the name."""
    found = Series.objects.filter(instance=instance).order_by("name", "pk")
    if search:
        found = found.filter(name__icontains=search)
    return found.filter(name=name) if name else found


def names(instance: Instance, *, search: str = "") -> Any:
    """Names, each with the number of series that have it (`count`), `unit` and `kind`."""
    found = of_instance(instance, search=search).order_by().values("name")
    return found.annotate(count=Count("pk"), unit=Max("unit"), kind=Max("kind")).order_by("name")


def get_visible(*, series_id: str, principal: Principal | None) -> Series:
    """The series, if the caller may see its instance. Raises NotFound."""
    known = series_id.isascii() and series_id.isdigit() and int(series_id) <= LARGEST_ID
    visible = Instance.objects.visible_to(principal)
    found = Series.objects.filter(pk=series_id, instance__in=visible).first() if known else None
    if found is None:
        raise NotFound(f"Series '{series_id[:40]}' not found")
    return found


def values(
    series: Sequence[Series], *, since: datetime, until: datetime, step_s: int, limit: int = MOST_POINTS
) -> dict[int, list[Value]]:
    """The values of each series from `since` until `until`, oldest first, by id; `step_s` 0 means single points.

    At most `limit` of each.
    """
    if not series:
        return {}
    by_id = {one.pk: one for one in series}
    rows: dict[int, list[tuple]] = defaultdict(list)
    for kind in {one.kind for one in series}:
        ids = [one.pk for one in series if one.kind == kind]
        for series_id, *row in rows_of(_query(ids, kind, since, until, step_s, limit), times=[1]):
            rows[series_id].append(tuple(row))
    return {pk: _with_rates(by_id[pk].kind, found[:limit], step_s) for pk, found in rows.items()}


def _query(ids: list[int], kind: str, since: datetime, until: datetime, step_s: int, limit: int) -> Query:
    wanted = Query(f"series_id IN ({', '.join(['%s'] * len(ids))})", ids)
    most = limit * len(ids)
    if not step_s:
        return Query(
            f"SELECT series_id, ts AS at, value, value FROM {POINTS.name} WHERE ({wanted.sql}) "  # noqa: S608
            f"AND ts >= %s AND ts < %s ORDER BY series_id, at LIMIT {int(most)}",
            [*ids, since, until],
        )
    column = {Kind.COUNTER: last("value"), Kind.DELTA: total("value")}.get(Kind(kind), mean("value"))
    columns = {"series_id": group("series_id"), "at": bucket(step_s), "value": column, "highest": largest("value")}
    query = timeseries.bucketed(POINTS, columns, since=since, until=until, where=wanted)
    return Query(f"{query.sql} ORDER BY series_id, at LIMIT {int(most)}", query.params)


def _with_rates(kind: str, rows: list[tuple], step_s: int) -> list[Value]:
    found: list[Value] = []
    for at, value, highest in rows:
        per_s = None
        if kind == Kind.COUNTER and found and value >= found[-1].value:
            per_s = (value - found[-1].value) / (at - found[-1].at).total_seconds()
        elif kind == Kind.DELTA and step_s:
            per_s = value / step_s
        found.append(Value(at, value, highest, per_s))
    return found
