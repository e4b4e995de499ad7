"""Uptime: of the checks that counted, the share that passed. A time without checks is unknown, never good or bad."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from uuid import UUID

from django.db.models import Count, Q
from django.db.models.functions import TruncDate

from monitors.runs.models import BAD, GOOD, Run
from monitors.uptime.models import MonitorDay
from monitors.uptime.services import first_open_day, start_of

LONGEST = 90


@dataclass(frozen=True)
class Share:
    """How many checks counted (passed, failed, timed out, could not measure) and how many passed."""

    counted: int = 0
    passed: int = 0

    def __add__(self, other: "Share") -> "Share":
        return Share(self.counted + other.counted, self.passed + other.passed)

    @property
    def percent(self) -> float | None:
        """None when nothing counted."""
        return 100 * self.passed / self.counted if self.counted else None


def last_hours(monitor_id: UUID, now: datetime, hours: int = 24) -> Share:
    """The checks that ended within the last hours."""
    ended = Run.objects.filter(monitor=monitor_id, completed_at__gt=now - timedelta(hours=hours))
    # A run ends within an hour of being queued or so; this lets the index by monitor and time find them.
    recent = ended.filter(queued_at__gt=now - timedelta(hours=hours + 24))
    found = recent.aggregate(
        counted=Count("pk", filter=Q(status__in=(*GOOD, *BAD))), passed=Count("pk", filter=Q(status__in=GOOD))
    )
    return Share(**found)


def days(monitor_ids: Iterable[UUID], now: datetime, most: int = LONGEST) -> dict[UUID, dict[date, Share]]:
    """The last `most` UTC days with today, each monitor's in order. Three queries, whatever the number of monitors."""
    keys, today = list(monitor_ids), now.astimezone(UTC).date()
    first = today - timedelta(days=most - 1)
    dates = [first + timedelta(days=number) for number in range(most)]
    found = {key: dict.fromkeys(dates, Share()) for key in keys}
    for row in MonitorDay.objects.filter(monitor__in=keys, date__gte=first):
        found[row.monitor_id][row.date] = Share(row.counted, row.passed)
    since = max(first_open_day() or today, first)
    for key, day, share in _not_added_up(keys, since):
        if day in found[key]:
            found[key][day] = share
    return found


def _not_added_up(keys: list[UUID], since: date) -> list[tuple[UUID, date, Share]]:
    begin = start_of(since)
    runs = Run.objects.filter(monitor__in=keys, queued_at__gte=begin - timedelta(days=1), completed_at__gte=begin)
    sums = (
        runs.order_by()
        .values("monitor", day=TruncDate("completed_at", tzinfo=UTC))
        .annotate(
            counted=Count("pk", filter=Q(status__in=(*GOOD, *BAD))), passed=Count("pk", filter=Q(status__in=GOOD))
        )
    )
    return [(one["monitor"], one["day"], Share(one["counted"], one["passed"])) for one in sums]


@dataclass(frozen=True)
class Uptime:
    """One monitor: the last 24 hours to the second, longer windows in UTC days with today, and each of the 90 days."""

    day: Share
    week: Share
    month: Share
    quarter: Share
    days: dict[date, Share]


def of_monitor(monitor_id: UUID, now: datetime) -> Uptime:
    """Four queries."""
    each = days([monitor_id], now)[monitor_id]
    return Uptime(last_hours(monitor_id, now), total(each, 7), total(each, 30), total(each, LONGEST), each)


def total(days: dict[date, Share], last: int) -> Share:
    """The sum over the last days of `days`."""
    return sum(list(days.values())[-last:], Share())
