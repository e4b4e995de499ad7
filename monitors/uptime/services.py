"""Adding up the runs of days that are over, so that 90 days of a monitor are 90 rows."""

from datetime import UTC, date, datetime, time, timedelta

from django.conf import settings
from django.db import transaction
from django.db.models import Count, Max, Min, Q

from monitors.runs.models import BAD, GOOD, Run
from monitors.uptime.models import MonitorDay

SETTLED_AFTER = timedelta(minutes=10)  # what ended within the day has been committed by then
MOST_DAYS = 14  # in one go; a longer backlog is caught up by the next ones


def roll_up(*, now: datetime) -> int:
    """Add up each day that is over and not added up yet, at most MOST_DAYS of them; how many."""
    upto, done = (now - SETTLED_AFTER).astimezone(UTC).date(), 0
    while done < MOST_DAYS and (day := first_open_day()) and day < upto:
        _add_up(day)
        done += 1
    MonitorDay.objects.filter(date__lt=upto - timedelta(days=settings.KEEP_DAYS["runs"])).delete()
    return done


def first_open_day() -> date | None:
    """The first day with checks that is not added up; None when there is none."""
    runs = Run.objects.filter(completed_at__isnull=False, status__in=(*GOOD, *BAD))
    if last := MonitorDay.objects.aggregate(last=Max("date"))["last"]:
        runs = runs.filter(completed_at__gte=start_of(last + timedelta(days=1)))
    first = runs.aggregate(first=Min("completed_at"))["first"]
    return first.astimezone(UTC).date() if first else None


def start_of(day: date) -> datetime:
    return datetime.combine(day, time(), UTC)


@transaction.atomic
def _add_up(day: date) -> None:
    """One day of all monitors. Done twice it stays the same."""
    counted = Run.objects.filter(
        completed_at__gte=start_of(day), completed_at__lt=start_of(day + timedelta(days=1)), status__in=(*GOOD, *BAD)
    )
    sums = counted.order_by().values("monitor").annotate(n=Count("pk"), good=Count("pk", filter=Q(status__in=GOOD)))
    rows = (MonitorDay(monitor_id=one["monitor"], date=day, counted=one["n"], passed=one["good"]) for one in sums)
    MonitorDay.objects.bulk_create(rows, batch_size=1000, ignore_conflicts=True)
