"""Rows go in once, are replaced or changed by key, and come back as they were."""

from datetime import UTC, datetime, timedelta, timezone

import pytest
from django.db import transaction

from config import timeseries
from config.timeseries import Query, bucket, const, count, group, mean, rows_of
from tests.storage.conftest import PLAIN, SPLIT

pytestmark = pytest.mark.storage
NOON = datetime(2026, 3, 1, 12, tzinfo=UTC)
MAX = 2**63 - 1


def at(seconds: float) -> datetime:
    return NOON + timedelta(seconds=seconds)


def everything(using: str) -> list[tuple]:
    return rows_of(
        Query("SELECT subject, ts, load, size FROM probe_plain ORDER BY subject, ts"), times=[1], using=using
    )


def test_rows_come_back_as_they_went_in(using):
    rows = [
        ("a", at(0.123), 12.5, MAX, {"deep": ["ü", None]}),
        ("a", at(1), None, None, None),
        ("b", at(0), 0.0, 0, {}),
    ]
    assert timeseries.insert(PLAIN, rows, using=using) == 3
    assert everything(using) == [row[:4] for row in sorted(rows, key=lambda row: row[:2])]
    found = rows_of(Query("SELECT CAST(extra AS text) FROM probe_plain WHERE load = %s", [12.5]), using=using)
    assert "ü" in found[0][0]


def test_a_moment_of_another_time_zone_is_the_same_moment(using):
    tokyo = NOON.astimezone(timezone(timedelta(hours=9)))
    assert timeseries.insert(PLAIN, [("a", NOON, 1.0, 1, None)], using=using) == 1
    assert timeseries.insert(PLAIN, [("a", tokyo, 2.0, 2, None)], using=using) == 0
    assert everything(using) == [("a", NOON, 1.0, 1)]


def test_a_row_that_is_there_stays_and_the_new_ones_go_in(using):
    timeseries.insert(PLAIN, [("a", at(0), 1.0, 1, None)], using=using)
    mixed = [("a", at(0), 9.0, 9, None), ("a", at(1), 2.0, 2, None), ("b", at(0), 3.0, 3, {"x": 1})]
    assert timeseries.insert(PLAIN, mixed, using=using) == 2
    assert timeseries.insert(PLAIN, mixed, using=using) == 0
    assert [row[2] for row in everything(using)] == [1.0, 2.0, 3.0]


def test_nothing_is_kept_of_a_transaction_that_fails(using):
    with pytest.raises(RuntimeError), transaction.atomic(using):
        timeseries.insert(PLAIN, [("a", at(0), 1.0, 1, None)], using=using)
        timeseries.insert(PLAIN, [("a", at(0), 1.0, 1, None), ("a", at(1), 1.0, 1, None)], using=using)
        raise RuntimeError
    assert everything(using) == []


def test_the_transaction_goes_on_after_repeats(using):
    with transaction.atomic(using):
        timeseries.insert(PLAIN, [("a", at(0), 1.0, 1, None)], using=using)
        timeseries.insert(PLAIN, [("a", at(0), 2.0, 2, None)], using=using)
        timeseries.insert(PLAIN, [("a", at(5), 3.0, 3, None)], using=using)
    assert len(everything(using)) == 2


def test_upsert_replaces_by_key(using):
    rows = [(5, "a", at(0), 1, 10.0), (60, "a", at(0), 2, 20.0)]
    timeseries.upsert(SPLIT, rows, using=using)
    timeseries.upsert(SPLIT, [(5, "a", at(0), 3, 30.0), (5, "b", at(0), 4, None)], using=using)
    found = rows_of(Query("SELECT resolution, subject, n, load FROM probe_split ORDER BY 1, 2"), using=using)
    assert found == [(5, "a", 3, 30.0), (5, "b", 4, None), (60, "a", 2, 20.0)]


def test_upsert_from_a_read_gives_the_same_when_done_again(using):
    timeseries.insert(PLAIN, [("a", at(second), float(second), second, None) for second in range(600)], using=using)
    columns = {
        "resolution": const(5),
        "subject": group("subject"),
        "ts": bucket(300),
        "n": count(),
        "load": mean("load"),
    }
    for _ in range(2):
        read = timeseries.bucketed(PLAIN, columns, since=at(0), until=at(600), using=using)
        timeseries.upsert(SPLIT, read, using=using)
        found = rows_of(Query("SELECT subject, ts, n, load FROM probe_split ORDER BY ts"), times=[1], using=using)
        assert found == [("a", at(0), 300, 149.5), ("a", at(300), 300, 449.5)]


def test_update_changes_the_other_columns_of_rows_that_are_there(using):
    timeseries.insert(PLAIN, [("a", at(0), 1.0, 1, None), ("b", at(0), 2.0, 2, None)], using=using)
    changed = [("a", at(0), None, 7, {"is": ["new"]}), ("gone", at(0), 1.0, 1, None)]
    assert timeseries.update(PLAIN, changed, using=using) == 1
    assert everything(using) == [("a", at(0), None, 7), ("b", at(0), 2.0, 2)]


def test_no_rows_are_no_work(using):
    for write in (timeseries.insert, timeseries.upsert, timeseries.update):
        assert write(PLAIN, [], using=using) == 0
