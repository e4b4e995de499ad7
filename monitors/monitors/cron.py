"""Schedules: what a cron expression may say, and when it fires (contract: monitors §4)."""

import re
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from functools import cache, lru_cache
from itertools import islice
from zoneinfo import ZoneInfo, available_timezones

from cronsim import CronSim, CronSimError

ALIASES = {
    "@hourly": "0 * * * *",
    "@daily": "0 0 * * *",
    "@midnight": "0 0 * * *",
    "@weekly": "0 0 * * 0",
    "@monthly": "0 0 1 * *",
    "@yearly": "0 0 1 1 *",
    "@annually": "0 0 1 1 *",
}
FIRES_LOOKED_AT = 500
HORIZON = timedelta(days=5 * 366)
# What classic cron knows; cronsim would also take L and #.
_NAMES = [
    "sun",
    "mon",
    "tue",
    "wed",
    "thu",
    "fri",
    "sat",
    "jan",
    "feb",
    "mar",
    "apr",
    "may",
    "jun",
    "jul",
    "aug",
    "sep",
    "oct",
    "nov",
    "dec",
]
_FIELD = re.compile(r"[0-9a-z*,/-]+")
_WORD = re.compile(r"[a-z]+")


class BadSchedule(ValueError):
    """The expression cannot be used as a schedule; the text says why."""


def normalise(expression: str) -> str:
    """The expression with five fields, aliases expanded; raises BadSchedule."""
    text = " ".join(expression.split())
    text = ALIASES.get(text.lower(), text)
    if text.startswith("@"):
        raise BadSchedule(f"'{text}' is not known. Use five fields, or one of {', '.join(ALIASES)}.")
    fields = text.split(" ")
    if len(fields) != 5:
        raise BadSchedule(f"A schedule has five fields (minute hour day month weekday), this one has {len(fields)}.")
    for name, field in zip(("minute", "hour", "day", "month", "weekday"), fields, strict=True):
        words = _WORD.findall(field.lower())
        if not _FIELD.fullmatch(field.lower()) or any(word not in _NAMES for word in words):
            raise BadSchedule(f"The {name} field '{field[:40]}' is not valid.")
    try:
        CronSim(text, datetime(2026, 1, 1))
    except CronSimError as error:
        raise BadSchedule(f"{error} in '{text[:100]}'.") from None
    return text


@cache
def zones() -> frozenset[str]:
    """The names of all IANA time zones; finding them means reading a folder tree, so it is done once."""
    return frozenset(available_timezones())


def known_zone(name: str) -> bool:
    return name in zones()


def fires(schedule: str, time_zone: str, after: datetime) -> Iterator[datetime]:
    """The fire times after a moment, in UTC, without end (or until cronsim finds none within decades).

    A local time that does not exist fires at the first valid minute after; a repeated one fires once for fixed
    hours and each time for `*` and steps.
    """
    last = None
    for local in CronSim(schedule, after.astimezone(ZoneInfo(time_zone))):
        moment = local.astimezone(UTC)
        if last is None or moment > last:  # two local times may fall on one minute when clocks change
            last = moment
            yield moment


def next_fire(schedule: str, time_zone: str, after: datetime) -> datetime | None:
    """The first fire time after a moment; None when there is none within five years."""
    moment = next(fires(schedule, time_zone, after), None)
    return moment if moment and moment - after <= HORIZON else None


def shortest_gap_s(schedule: str, time_zone: str, now: datetime) -> int:
    """Seconds between the two closest of the next 500 fire times. Raises BadSchedule when it never fires."""
    try:
        first = next_fire(schedule, time_zone, now)
    except CronSimError:
        first = None
    if first is None:
        raise BadSchedule("This schedule does not fire within five years.")
    gap, previous = HORIZON, first
    for moment in islice(fires(schedule, time_zone, first), FIRES_LOOKED_AT - 1):
        if moment - first > HORIZON:
            break
        gap, previous = min(gap, moment - previous), moment
    return int(gap.total_seconds())


@lru_cache(maxsize=4096)
def in_words(schedule: str) -> str:
    """The schedule as an English sentence."""
    return CronSim(schedule, datetime(2026, 1, 1)).explain()
