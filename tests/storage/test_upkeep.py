"""Old rows go, there is room for new ones, and nothing in between is lost."""

from datetime import UTC, datetime, timedelta

import pytest
from django.db import connections

from config import timeseries
from config.timeseries import Query, rows_of, sqlite
from tests.storage.conftest import PLAIN, SPLIT

pytestmark = pytest.mark.storage
NOW = datetime(2026, 3, 1, 12, tzinfo=UTC)
DAY = timedelta(days=1)


def upkeep(using: str, table=PLAIN, *, now: datetime = NOW, keep_days: int = 7, part: int | None = None):
    return timeseries.keep(
        table, since=now - 7 * DAY, until=now + 3 * DAY, drop=now - keep_days * DAY, part=part, using=using
    )


def moments(using: str) -> list[datetime]:
    return [row[0] for row in rows_of(Query("SELECT ts FROM probe_plain ORDER BY ts"), times=[0], using=using)]


def test_what_is_too_old_goes_and_the_rest_stays(using, monkeypatch):
    monkeypatch.setattr(sqlite, "SLICE_ROWS", 3)
    upkeep(using)
    days = [NOW - days * DAY for days in (7, 6, 5, 3, 1, 0)]
    timeseries.insert(PLAIN, [(str(n), day, None, None, None) for day in days for n in range(5)], using=using)
    upkeep(using, now=NOW + DAY, keep_days=4)
    left = moments(using)
    assert set(left) == {NOW - days * DAY for days in (3, 1, 0)}
    assert len(left) == 15
    upkeep(using, now=NOW + DAY, keep_days=4)
    assert len(moments(using)) == 15


def test_rows_that_found_no_room_move_into_theirs(using):
    stray = NOW + 40 * DAY
    upkeep(using)
    timeseries.insert(PLAIN, [("a", stray, 1.0, 1, {"k": 1}), ("a", NOW, 1.0, 1, None)], using=using)
    if connections[using].vendor == "postgresql":
        assert timeseries.strays(PLAIN, using=using) == 1
    upkeep(using, now=stray, keep_days=60)
    assert timeseries.strays(PLAIN, using=using) == 0
    assert moments(using) == [NOW, stray]
    assert timeseries.insert(PLAIN, [("a", stray, 1.0, 1, None)], using=using) == 0


def test_each_part_has_its_own_time(using):
    for part in (5, 60):
        upkeep(using, SPLIT, part=part)
    rows = [(part, "a", NOW - days * DAY, 1, 1.0) for part in (5, 60) for days in (0, 2)]
    timeseries.upsert(SPLIT, rows, using=using)
    upkeep(using, SPLIT, part=5, now=NOW, keep_days=1)
    found = rows_of(Query("SELECT resolution, ts FROM probe_split ORDER BY 1, 2"), times=[1], using=using)
    assert found == [(5, NOW), (60, NOW - 2 * DAY), (60, NOW)]


def test_postgresql_drops_whole_partitions(using):
    if connections[using].vendor != "postgresql":
        pytest.skip("SQLite has no partitions")
    first = upkeep(using)
    assert first.made[0] == "probe_plain_20260222"
    assert first.made[-1] == "probe_plain_20260304"
    assert upkeep(using).made == []
    later = upkeep(using, now=NOW + 2 * DAY, keep_days=7)
    assert later.dropped == ["probe_plain_20260222", "probe_plain_20260223"]
    assert later.made == ["probe_plain_20260305", "probe_plain_20260306"]
    months = upkeep(using, SPLIT, part=60)
    assert months.made == ["probe_split_60_202602", "probe_split_60_202603"]
