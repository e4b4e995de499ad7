"""Sums of entries that reports read in their place.

Those by day are made in the transaction that changed the entries. Those by week are made when the week is over; until
then, and after a late change, reports read the entries.
"""

from collections.abc import Collection
from datetime import date, timedelta
from typing import Any

from django.db import transaction
from django.db.models import Count, F, Sum

from costs.ledger.models import PARTS, ClosedWeek, CostEntry, DayTotal, WeekTotal

WEEK = timedelta(days=7)
SUMS = {f"{part}_sum": Sum(f"{part}_micros") for part in PARTS}
KEYS = ("provider", "region", "team_id", "team_name")


def sum_up(days: Collection[date]) -> None:
    """Make the totals of these days anew; their weeks are open until they are closed again."""
    if not days:
        return
    ClosedWeek.objects.filter(week__in={week_of(day) for day in days}).delete()
    DayTotal.objects.filter(day__in=days).delete()
    rows = (
        CostEntry.objects.filter(day__in=days)
        .order_by()
        .values("day", **{key: F(f"subject__{key}") for key in KEYS})
        .annotate(entries=Count("pk"), **SUMS)
    )
    totals = []
    for row in map(dict, rows):
        totals.append(DayTotal(**_amounts(row), **row))
    DayTotal.objects.bulk_create(totals, batch_size=500)


def week_of(day: date) -> date:
    """The Monday of its week."""
    return day - timedelta(days=day.weekday())


def close_weeks(*, today: date) -> int:
    """Sum up the weeks with entries that are over and not closed; how many."""
    bounds = CostEntry.objects.order_by("day").values_list("day", flat=True)
    first, last = bounds.first(), min(bounds.last() or today, week_of(today) - timedelta(days=1))
    closed = set(ClosedWeek.objects.values_list("week", flat=True))
    week, count = week_of(first) if first else today, 0
    while week <= last:
        if week not in closed:
            _close(week)
            count += 1
        week += WEEK
    return count


@transaction.atomic
def _close(week: date) -> None:
    WeekTotal.objects.filter(week=week).delete()
    rows = CostEntry.objects.filter(day__gte=week, day__lt=week + WEEK).order_by().values("subject_id")
    totals = [WeekTotal(week=week, **_amounts(row), **row) for row in map(dict, rows.annotate(**SUMS))]
    WeekTotal.objects.bulk_create(totals, batch_size=500)
    ClosedWeek.objects.get_or_create(week=week)


def _amounts(row: dict[str, Any]) -> dict[str, int]:
    """The sums taken out of a row, as fields of a total."""
    parts = {f"{part}_micros": int(row.pop(f"{part}_sum")) for part in PARTS}
    return parts | {"total_micros": sum(parts.values())}
