"""Counting what ended into rows of five minutes and of days, so that windows are sums of few rows."""

from collections import defaultdict
from collections.abc import Iterable
from datetime import UTC, datetime, timedelta

from django.db import transaction
from django.db.models import Sum

from alerts.objectives.burning import Share
from alerts.objectives.events import ended
from alerts.objectives.models import Objective, Tally

SLOT_S, DAY_S = 300, 86_400
SETTLED_AFTER = timedelta(minutes=15)  # what ended before has been committed by now
AT_ONCE = timedelta(days=7)  # that one step counts; an older past is caught up by the next ones
KEEP_SLOTS, KEEP_DAYS = timedelta(days=4), timedelta(days=100)


@transaction.atomic
def count_up(objective: Objective, *, now: datetime) -> bool:
    """Count what has ended since the last time, anew what may have changed since; False when more is left to do.

    Counting the same time twice, or by two workers, gives the same rows.
    """
    begin = now - timedelta(days=objective.window_days)
    known = objective.counted_until
    since = slot(max(known - SETTLED_AFTER, begin) if known else begin, SLOT_S)
    until = min(now, since + AT_ONCE)
    slots: dict[datetime, Share] = defaultdict(Share)
    for at, share in ended(objective, since, until):
        slots[slot(at, SLOT_S)] += share
    _store(objective, SLOT_S, slots)
    _store(objective, DAY_S, {day: _sum(objective, day) for day in {slot(at, DAY_S) for at in slots}})
    Objective.objects.filter(pk=objective.pk).update(counted_until=until)
    objective.counted_until = until
    return until == now


def forget(*, now: datetime) -> None:
    """Delete tallies that no window reaches any more."""
    Tally.objects.filter(span_s=SLOT_S, at__lt=now - KEEP_SLOTS).delete()
    Tally.objects.filter(span_s=DAY_S, at__lt=now - KEEP_DAYS).delete()


def slot(at: datetime, span_s: int) -> datetime:
    """The beginning of the span (of UTC) that the moment is in."""
    seconds = int(at.timestamp())
    return datetime.fromtimestamp(seconds - seconds % span_s, UTC)


def _store(objective: Objective, span_s: int, shares: dict[datetime, Share]) -> None:
    rows: Iterable[Tally] = (
        Tally(objective=objective, span_s=span_s, at=at, good=share.good, total=share.total)
        for at, share in sorted(shares.items())
    )
    Tally.objects.bulk_create(
        rows, update_conflicts=True, unique_fields=["objective", "span_s", "at"], update_fields=["good", "total"]
    )


def _sum(objective: Objective, day: datetime) -> Share:
    within = Tally.objects.filter(objective=objective, span_s=SLOT_S, at__gte=day, at__lt=day + timedelta(days=1))
    found = within.aggregate(good=Sum("good"), total=Sum("total"))
    return Share(found["good"] or 0, found["total"] or 0)
