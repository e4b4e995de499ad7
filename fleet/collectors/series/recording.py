"""The transaction that stores points, and notes whose figures wait to become samples."""

from datetime import datetime
from typing import NamedTuple

from django.db import transaction
from django.utils import timezone

from config import timeseries
from fleet.collectors.models import POINTS, HostFeed


class Row(NamedTuple):
    """A point to store; `host` is the instance when it is a figure of the machine itself."""

    series_id: int
    at: datetime
    value: float
    host: str | None


def record(rows: list[Row], *, now: datetime | None = None) -> None:
    """Store points; all or nothing. One that is there already for its series and moment is left alone."""
    once = {(row.series_id, row.at): row for row in reversed(rows)}
    with transaction.atomic():
        timeseries.insert(POINTS, [row[:3] for row in once.values()])
        if hosts := sorted({row.host for row in rows if row.host}):
            _note(hosts, now or timezone.now())


def _note(hosts: list[str], now: datetime) -> None:
    feeds = HostFeed.objects.filter(pk__in=hosts)
    feeds.filter(pending=False).update(pending=True, arrived_at=now)
    known = set(feeds.values_list("pk", flat=True))
    new = [HostFeed(instance_id=one, arrived_at=now) for one in hosts if one not in known]
    HostFeed.objects.bulk_create(new, ignore_conflicts=True)
