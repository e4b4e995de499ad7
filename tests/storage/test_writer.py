"""The writer thread: many wait for one commit, a database that is away is waited for, nobody waits for ever."""

import threading
import time
from datetime import UTC, datetime

import pytest
from django.db import DataError, OperationalError

from config.api.errors import Unavailable
from config.timeseries.writer import Writer
from fleet.metrics.samples import Beat


def beats(*names: str) -> list[Beat]:
    return [Beat(instance_id=name, at=datetime(2026, 3, 1, tzinfo=UTC)) for name in names]


class Database:
    """Takes batches; `faults` are raised first, in turn. `open` can hold a commit back."""

    def __init__(self, *faults: Exception) -> None:
        self.faults, self.batches = list(faults), []
        self.open = threading.Event()
        self.open.set()

    def write(self, batch: list[Beat]) -> None:
        assert self.open.wait(5)
        if self.faults:
            raise self.faults.pop(0)
        if any(beat.instance_id == "poison" for beat in batch):
            raise DataError("this row can never be stored")
        self.batches.append([beat.instance_id for beat in batch])


def test_what_comes_during_a_commit_is_committed_together():
    database = Database()
    writer = Writer("samples", database.write)
    database.open.clear()
    futures = [writer.submit(beats("first"))]
    time.sleep(0.05)
    futures += [writer.submit(beats(str(number))) for number in range(50)]
    assert not any(future.done() for future in futures)
    database.open.set()
    for future in futures:
        future.result(5)
    assert [len(batch) for batch in database.batches] == [1, 50]


def test_a_frame_waits_for_company_and_not_longer_than_a_second():
    database = Database()
    writer = Writer("samples", database.write)
    started = time.monotonic()
    writer.queue(beats("frame"))
    time.sleep(0.1)
    assert not database.batches
    while not database.batches and time.monotonic() - started < 5:
        time.sleep(0.01)
    assert 0.5 < time.monotonic() - started < 2
    writer.queue(beats("frame"))
    writer.submit(beats("durable")).result(0.5)
    assert database.batches == [["frame"], ["frame", "durable"]]


def test_a_large_batch_waits_for_nobody(monkeypatch):
    monkeypatch.setattr("config.timeseries.writer.BATCH_ROWS", 10)
    database = Database()
    writer = Writer("samples", database.write)
    started = time.monotonic()
    writer.queue(*[beats(*"abcd")] * 3)
    while not database.batches and time.monotonic() - started < 5:
        time.sleep(0.01)
    assert time.monotonic() - started < 0.5
    assert writer.flush(2)
    assert [len(batch) for batch in database.batches] == [8, 4]


def test_flush_writes_what_waits():
    database = Database()
    writer = Writer("samples", database.write)
    writer.queue(beats("frame"))
    started = time.monotonic()
    assert writer.flush(2)
    assert time.monotonic() - started < 0.5
    assert database.batches == [["frame"]]
    database.open.clear()
    writer.submit(beats("frame"))
    assert not writer.flush(0.1)
    database.open.set()
    assert writer.flush(2)


def test_a_database_that_comes_back_costs_nothing_but_time():
    database = Database(OperationalError("gone"), OperationalError("still gone"))
    writer = Writer("samples", database.write)
    writer.submit(beats("kept")).result(5)
    assert database.batches == [["kept"]]


def test_a_database_that_stays_away_is_told_and_the_next_try_works():
    database = Database(*[OperationalError("gone")] * 4)
    writer = Writer("samples", database.write, patience_s=0.2)
    with pytest.raises(Unavailable, match="database is away"):
        writer.submit(beats("lost")).result(5)
    database.faults.clear()
    writer.submit(beats("kept")).result(5)
    assert database.batches == [["kept"]]


def test_one_bad_submission_does_not_cost_the_others():
    database = Database()
    writer = Writer("samples", database.write)
    database.open.clear()
    writer.submit(beats("first"))
    time.sleep(0.05)
    good, bad, fine = (writer.submit(beats(name)) for name in ("good", "poison", "fine"))
    database.open.set()
    good.result(5)
    fine.result(5)
    with pytest.raises(DataError):
        bad.result(5)
    assert database.batches == [["first"], ["good"], ["fine"]]


def test_what_waits_is_bounded():
    database = Database()
    writer = Writer("samples", database.write, capacity_rows=3)
    database.open.clear()
    first = writer.submit(beats(*"abc"))
    with pytest.raises(Unavailable):
        writer.submit(beats("d"))
    database.open.set()
    first.result(5)
    assert writer.flush(2)
    writer.submit(beats("d")).result(5)


def test_a_caller_that_leaves_takes_nothing_back():
    database = Database()
    writer = Writer("samples", database.write)
    left = writer.submit(beats("a"))
    assert not left.cancel()
    assert writer.flush(2)
    assert database.batches == [["a"]]
