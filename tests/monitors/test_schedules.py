"""When a schedule fires (contract: monitors §4)."""

from datetime import UTC, datetime
from itertools import islice

import pytest

from monitors.monitors import cron

SPRING, AUTUMN = datetime(2026, 3, 28, 12, tzinfo=UTC), datetime(2026, 10, 24, 12, tzinfo=UTC)


def local(schedule: str, after: datetime, count: int) -> list[str]:
    from zoneinfo import ZoneInfo

    oslo = ZoneInfo("Europe/Oslo")
    return [f"{one.astimezone(oslo):%d %H:%M %z}" for one in islice(cron.fires(schedule, "Europe/Oslo", after), count)]


def test_a_time_that_does_not_exist_fires_at_the_next_valid_minute() -> None:
    assert local("30 2 * * *", SPRING, 2) == ["29 03:00 +0200", "30 02:30 +0200"]


def test_two_times_that_fall_together_fire_once() -> None:
    assert local("30 2,3 * * *", SPRING, 3)[0] == "29 03:00 +0200"
    moments = list(islice(cron.fires("0 2,3 * * *", "Europe/Oslo", SPRING), 10))
    assert len(set(moments)) == 10


def test_repeated_times_fire_once_for_fixed_hours_and_each_time_for_steps() -> None:
    assert local("30 2 * * *", AUTUMN, 2) == ["25 02:30 +0200", "26 02:30 +0100"]
    hourly = local("30 * * * *", AUTUMN.replace(hour=23), 4)
    assert hourly == ["25 01:30 +0200", "25 02:30 +0200", "25 02:30 +0100", "25 03:30 +0100"]


@pytest.mark.parametrize(
    ("text", "stored"),
    [
        ("@hourly", "0 * * * *"),
        (" 0  6 * * MON ", "0 6 * * MON"),
        ("0 0 1 jan *", "0 0 1 jan *"),
        ("@YEARLY", "0 0 1 1 *"),
    ],
)
def test_what_is_stored(text: str, stored: str) -> None:
    assert cron.normalise(text) == stored


@pytest.mark.parametrize(
    ("schedule", "gap_s"),
    [
        ("* * * * *", 60),
        ("*/7 * * * *", 240),
        ("7,37 6-22 * * 1-5", 1800),
        ("0 0 29 2 *", 126_230_400),
        ("0 0 * * 0,7", 604_800),
    ],
)
def test_the_shortest_gap(schedule: str, gap_s: int) -> None:
    assert cron.shortest_gap_s(schedule, "UTC", datetime(2026, 1, 1, tzinfo=UTC)) == gap_s


def test_day_and_weekday_are_alternatives() -> None:
    moments = islice(cron.fires("0 0 13 * 5", "UTC", datetime(2026, 1, 1, tzinfo=UTC)), 3)
    assert [one.day for one in moments] == [2, 9, 13]


def test_no_fire_within_five_years() -> None:
    with pytest.raises(cron.BadSchedule):
        cron.shortest_gap_s("0 0 31 2 *", "UTC", datetime(2026, 1, 1, tzinfo=UTC))
    assert cron.next_fire("0 0 29 2 *", "UTC", datetime(2096, 3, 1, tzinfo=UTC)) is None
