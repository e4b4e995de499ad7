"""How long points are kept, as long as samples (contract: fleet console §34.2), and the room for new ones."""

from datetime import UTC, datetime, timedelta

from django.conf import settings
from django.utils import timezone

from config import timeseries
from config.timeseries import Kept
from fleet.collectors.models import POINTS, Series

AHEAD = timedelta(days=3)
NEVER = datetime(1970, 1, 1, tzinfo=UTC)
SLACK = timedelta(hours=2)  # `last_at` is told once an hour
AT_ONCE = 1000


def ensure_partitions(*, now: datetime | None = None) -> Kept:
    """Room from the oldest point that is taken in until three days ahead. Drops nothing."""
    return _keep(now or timezone.now(), drop=NEVER)


def drop_old(*, now: datetime | None = None) -> tuple[Kept, int]:
    """Drop points older than they are kept, and series that have none any more; how many of those."""
    now = now or timezone.now()
    oldest, gone = now - _span(), 0
    kept = _keep(now, drop=oldest)
    while ids := list(Series.objects.filter(last_at__lt=oldest - SLACK).order_by("pk").values_list("pk")[:AT_ONCE]):
        gone += Series.objects.filter(pk__in=[pk for (pk,) in ids]).delete()[0]
    return kept, gone


def strays() -> int:
    """Rows outside of all partitions; the doctor complains about any."""
    return timeseries.strays(POINTS)


def _span() -> timedelta:
    return timedelta(days=settings.KEEP_DAYS["samples"])


def _keep(now: datetime, *, drop: datetime) -> Kept:
    return timeseries.keep(POINTS, since=now - _span(), until=now + AHEAD, drop=drop)
