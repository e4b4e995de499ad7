"""Words are found by their stems, text as it is in any case; what leaves the table leaves the index."""

from datetime import UTC, datetime, timedelta

import pytest

from config import timeseries
from config.timeseries import Query, rows_of
from tests.storage.conftest import PLAIN, SEARCHED

pytestmark = pytest.mark.storage
NOON = datetime(2026, 3, 1, 12, tzinfo=UTC)
LINES = {
    "1": "Connection to db-7 timed out",
    "2": "connections were closed by the peer",
    "3": 'it said "100%_done\\" and left',
    "4": "ÜBER the moon",
}


@pytest.fixture
def lines(using):
    rows = [(key, NOON + timedelta(days=int(key)), "web", text) for key, text in LINES.items()]
    assert timeseries.insert(SEARCHED, rows, using=using) == 4
    return using


def found(using: str, condition: Query) -> list[str]:
    sql = f"SELECT id FROM {SEARCHED.name} WHERE {condition.sql} ORDER BY id"  # noqa: S608
    return [key for (key,) in rows_of(Query(sql, condition.params), using=using)]


@pytest.mark.parametrize(
    "text, expected",
    [
        ("connection", ["1", "2"]),
        ("connected", ["1", "2"]),
        ("CONNECTION closing", ["2"]),
        ("connection absent", []),
        ('db-7 "timed', ["1"]),
        ("moon", ["4"]),
    ],
)
def test_all_words_must_occur_by_their_stem(lines, text, expected):
    assert found(lines, timeseries.matching(SEARCHED, text, using=lines)) == expected


def test_no_word_is_no_condition(lines):
    assert timeseries.matching(SEARCHED, ' "*" -- ', using=lines) is None


@pytest.mark.parametrize(
    "text, expected", [("NNECTION", ["1", "2"]), ("100%_d", ["3"]), ("0%d", []), ('done\\"', ["3"]), ("_", ["3"])]
)
def test_text_is_found_as_it_is_in_any_case(lines, text, expected):
    assert found(lines, timeseries.containing("message", text, using=lines)) == expected


def test_repeats_are_left_out_and_found_once(lines):
    row = ("1", NOON + timedelta(days=1), "web", LINES["1"])
    assert timeseries.insert(SEARCHED, [row, ("5", NOON, "web", "a connection more")], using=lines) == 1
    assert found(lines, timeseries.matching(SEARCHED, "connection", using=lines)) == ["1", "2", "5"]


def test_what_is_dropped_is_found_no_longer(lines):
    drop = NOON + timedelta(days=1, hours=12)
    timeseries.keep(SEARCHED, since=NOON, until=NOON, drop=drop, using=lines)
    assert found(lines, timeseries.matching(SEARCHED, "connection", using=lines)) == ["2"]
    assert timeseries.insert(SEARCHED, [("9", NOON + timedelta(days=9), "web", "new words")], using=lines) == 1
    assert found(lines, timeseries.matching(SEARCHED, "words", using=lines)) == ["9"]


def test_amounts_are_added_up(using):
    columns = ("a", NOON, 1.0, 5, None)
    table = timeseries.Table(PLAIN.name, {"subject": "text", "ts": "time", "size": "bigint"}, key=PLAIN.key)
    timeseries.insert(PLAIN, [columns], using=using)
    timeseries.add(table, [("b", NOON, 1), ("a", NOON, 7), ("b", NOON, 1)], using=using)
    timeseries.add(table, [("b", NOON, 1)], using=using)
    rows = rows_of(Query(f"SELECT subject, size FROM {PLAIN.name} ORDER BY subject"), using=using)  # noqa: S608
    assert rows == [("a", 12), ("b", 3)]
