"""The sums by day, made of entries in the transaction that changed them."""

from collections.abc import Collection
from datetime import date

from django.db.models import Count, F, Sum

from costs.ledger.models import PARTS, CostEntry, DayTotal

KEYS = ("provider", "region", "team_id", "team_name")


def sum_up(days: Collection[date]) -> None:
    """Make the totals of these days anew."""
    if not days:
        return
    DayTotal.objects.filter(day__in=days).delete()
    rows = (
        CostEntry.objects.filter(day__in=days)
        .order_by()
        .values("day", **{key: F(f"subject__{key}") for key in KEYS})
        .annotate(entries=Count("pk"), **{f"{part}_sum": Sum(f"{part}_micros") for part in PARTS})
    )
    totals = []
    for row in rows:
        parts = {f"{part}_micros": int(row.pop(f"{part}_sum")) for part in PARTS}
        totals.append(DayTotal(**row, **parts, total_micros=sum(parts.values())))
    DayTotal.objects.bulk_create(totals, batch_size=500)
