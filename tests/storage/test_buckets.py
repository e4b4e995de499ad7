"""Buckets begin at whole steps of UTC and hold exactly the rows between their ends."""

from datetime import UTC, datetime, timedelta

import pytest

from config import timeseries
from config.timeseries import Query, bucket, count, group, largest, last, mean, rows_of, total
from tests.storage.conftest import PLAIN, SPLIT

pytestmark = pytest.mark.storage
START = datetime(2026, 2, 28, 23, 50, tzinfo=UTC)


def fill(using: str, rows: list[tuple[str, int, float | None, int | None]]) -> None:
    timeseries.insert(
        PLAIN, [(who, START + timedelta(seconds=at), load, size, None) for who, at, load, size in rows], using=using
    )


def read(using: str, step_s: int, *, since: int = 0, until: int = 86400, where: Query | None = None) -> list[tuple]:
    columns = {"subject": group("subject"), "ts": bucket(step_s), "n": count(), "load": mean("load")}
    query = timeseries.bucketed(
        PLAIN,
        columns,
        since=START + timedelta(seconds=since),
        until=START + timedelta(seconds=until),
        where=where,
        using=using,
    )
    return sorted(rows_of(query, times=[1], using=using))


@pytest.mark.parametrize("step_s", [60, 300, 3600, 86400])
def test_buckets_are_aligned_to_utc_and_hold_every_row_once(using, step_s):
    fill(using, [("a", second, float(second), None) for second in range(0, 1200, 7)])
    expected: dict[datetime, list[float]] = {}
    for second in range(0, 1200, 7):
        moment = START + timedelta(seconds=second)
        start = moment - timedelta(seconds=moment.timestamp() % step_s)
        expected.setdefault(start, []).append(float(second))
    rows = read(using, step_s)
    assert [(row[1], row[2]) for row in rows] == [(start, len(loads)) for start, loads in sorted(expected.items())]
    for row, loads in zip(rows, sorted(expected.items()), strict=True):
        assert row[3] == pytest.approx(sum(loads[1]) / len(loads[1]))


def test_the_end_of_a_range_belongs_to_the_next(using):
    fill(using, [("a", 0, 1.0, None), ("a", 60, 2.0, None), ("a", 119, 4.0, None), ("a", 120, 8.0, None)])
    rows = read(using, 60, since=60, until=120)
    assert [(row[1], row[2], row[3]) for row in rows] == [(START + timedelta(seconds=60), 2, 3.0)]


def test_fractions_of_seconds_fall_into_their_bucket(using):
    moment = START + timedelta(seconds=59, milliseconds=999)
    timeseries.insert(PLAIN, [("a", moment, 1.0, None, None)], using=using)
    assert [row[1] for row in read(using, 60)] == [START]


def test_groups_and_conditions(using):
    fill(using, [("a", 0, 1.0, None), ("b", 0, 3.0, None), ("b", 1, 5.0, None), ("c", 0, 7.0, None)])
    rows = read(using, 60, where=Query("subject IN (%s, %s)", ["a", "b"]))
    assert [(row[0], row[2], row[3]) for row in rows] == [("a", 1, 1.0), ("b", 2, 4.0)]


def test_functions_pass_over_what_is_null(using):
    fill(using, [("a", 0, 1.0, 100), ("a", 1, None, 90), ("a", 2, 5.0, None), ("b", 0, None, None)])
    columns = {
        "subject": group("subject"),
        "mean": mean("load"),
        "max": largest("load"),
        "sum": total("size"),
        "last": last("size"),
        "n": count(),
    }
    query = timeseries.bucketed(PLAIN, columns, since=START, until=START + timedelta(hours=1), using=using)
    assert sorted(rows_of(query, using=using)) == [("a", 3.0, 5.0, 190, 90, 3), ("b", None, None, None, None, 1)]


def test_the_last_value_is_that_of_the_newest_row_and_not_the_largest(using):
    fill(using, [("a", second, None, size) for second, size in ((0, 9), (9, 1000), (10, 7), (5, 2**53 + 1))])
    query = timeseries.bucketed(
        PLAIN, {"last": last("size")}, since=START, until=START + timedelta(hours=1), using=using
    )
    assert rows_of(query, using=using) == [(7,)]


def test_a_mean_of_means_counts_each_by_its_weight(using):
    rows = [(5, "a", START, 10, 1.0), (5, "b", START, 30, 5.0), (5, "c", START, 1000, None)]
    timeseries.upsert(SPLIT, rows, using=using)
    query = timeseries.bucketed(
        SPLIT,
        {"mean": mean("load", "n"), "n": total("n")},
        since=START,
        until=START + timedelta(hours=1),
        using=using,
    )
    assert rows_of(query, using=using) == [(4.0, 1040)]


def test_a_read_can_be_the_source_of_a_read(using):
    fill(using, [("a", 0, 1.0, None), ("b", 0, 3.0, None)])
    source = Query("SELECT ts, load FROM probe_plain WHERE subject = %s", ["b"])
    query = timeseries.bucketed(
        source, {"mean": mean("load")}, since=START, until=START + timedelta(hours=1), using=using
    )
    assert rows_of(query, using=using) == [(3.0,)]
