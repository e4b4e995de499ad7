"""Windows that repeat each week by the wall clock of a time zone: plain rules, no database.

A window begins at the wall-clock time of its zone also over clock changes, and lasts its minutes by that clock.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from zoneinfo import ZoneInfo

Span = tuple[datetime, datetime]
DAYS = ("Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday", "Sunday")


@dataclass(frozen=True)
class Weekly:
    """Each of the weekdays (0 is Monday; none means every day) from a time on, for so many minutes."""

    days: tuple[int, ...]
    from_time: time
    minutes: int
    time_zone: str


def spans(weekly: Weekly, since: date, until: date) -> Iterator[Span]:
    """The windows that begin on the days from `since` to `until`, both included, in UTC."""
    zone, day = ZoneInfo(weekly.time_zone), since
    while day <= until:
        if not weekly.days or day.weekday() in weekly.days:
            start = datetime.combine(day, weekly.from_time)
            ends = start + timedelta(minutes=weekly.minutes)
            yield start.replace(tzinfo=zone).astimezone(UTC), ends.replace(tzinfo=zone).astimezone(UTC)
        day += timedelta(days=1)


def current(weekly: Weekly, now: datetime) -> Span | None:
    """The window that holds the moment, joined with those that follow without a gap; None outside."""
    today = now.astimezone(ZoneInfo(weekly.time_zone)).date()
    found: Span | None = None
    for start, end in spans(weekly, today - timedelta(days=8), today + timedelta(days=8)):
        if found is None and start <= now < end:
            found = start, end
        elif found and start <= found[1]:
            found = found[0], max(end, found[1])
    return found


def upcoming(weekly: Weekly, now: datetime) -> Span | None:
    """The next window that begins after the moment."""
    today = now.astimezone(ZoneInfo(weekly.time_zone)).date()
    return next((span for span in spans(weekly, today, today + timedelta(days=8)) if span[0] > now), None)


def in_words(weekly: Weekly) -> str:
    """`each Sunday 02:00 for 2 h, Europe/Berlin`."""
    days = "day" if not weekly.days else ", ".join(DAYS[day] for day in sorted(set(weekly.days)))
    hours, minutes = divmod(weekly.minutes, 60)
    lasts = " ".join(part for part in (f"{hours} h" if hours else "", f"{minutes} min" if minutes else "") if part)
    return f"each {days} {weekly.from_time:%H:%M} for {lasts}, {weekly.time_zone}"
