"""The series of a run as rows: what a failed write leaves is written later, long series are thinned."""

import pytest
from django.db import InterfaceError, OperationalError
from django.utils import timezone

from loadtest.engine.figures import Figures
from loadtest.engine.plan import Mode, Outline
from loadtest.engine.series import Series
from loadtest.runs import execution, recorder, tail, validation
from loadtest.runs.keeper import Keeper
from loadtest.runs.models import Run, RunTick
from loadtest.runs.recorder import Recorder
from tests.loadtest.runs.conftest import BASE

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.storage]


@pytest.fixture
def run():
    return Run.objects.create(id="run_1", kind="load", started_at=timezone.now())


def numbers(run):
    return list(run.ticks.order_by("n").values_list("n", flat=True))


def add(writer, count):
    series = Series(Outline(mode=Mode.ITERATIONS))
    for _ in range(count):
        writer.add(series.tick(Figures()))


def test_a_database_that_is_away_for_a_while(run, monkeypatch):
    monkeypatch.setattr(recorder, "BATCH_S", 0.0)
    writer = Recorder(run, tick_s=0.1)
    add(writer, 2)
    with monkeypatch.context() as broken:
        broken.setattr(RunTick.objects, "bulk_create", _fails)
        add(writer, 3)
    assert numbers(run) == [0, 1]
    add(writer, 1)
    assert numbers(run) == [0, 1, 2, 3, 4, 5]


def _fails(*_, **__):
    raise OperationalError("the server closed the connection")


def test_a_keeper_whose_database_is_away_holds_on(make, operator, target, monkeypatch):
    look, faults = Keeper._look, iter(range(3))

    def flaky(keeper):
        if next(faults, None) is not None:
            raise InterfaceError("connection already closed")
        return look(keeper)

    monkeypatch.setattr(Keeper, "_look", flaky)
    run = make(target.url, mode="constant_rps", targetRps=50, duration="700ms")
    assert next(faults, None) is None and run.status == "completed"


def test_old_ticks_are_thinned_and_new_ones_are_all_there(run, monkeypatch):
    for module in (recorder, tail):
        monkeypatch.setattr(module, "LIVE_TICKS", 40)
    monkeypatch.setattr(recorder, "THIN_EVERY", 10)
    monkeypatch.setattr(recorder, "BATCH_S", 0.0)
    add(Recorder(run, tick_s=0.1), 121)
    kept = numbers(run)
    assert kept[-40:] == list(range(81, 121))
    assert kept[:-40] == [0, 10, 20, 30, 40, 50, 60, 70, 80]
    batch = tail._read(run.pk, 0)
    assert (batch.start, len(batch.ticks)) == (81, 40)


def test_a_fault_in_the_tests_takes_nothing_from_the_run(make, operator, target, monkeypatch):
    def broken(*_):
        raise RuntimeError("no sandbox")

    monkeypatch.setattr(validation.deferred, "validate", broken)
    run = make(target.url, iterations=10, tests="pm.test('x', () => {})")
    report = operator.get(f"{BASE}/run/{run.pk}/report").json()
    assert run.status == "completed" and report["summary"]["totalRequests"] == 10
    assert execution.UNTESTED in report["warnings"]


def test_a_plan_that_cannot_be_read(start, target):
    run_id = start(target.url, iterations=10)
    Run.objects.filter(pk=run_id).update(plan=Run.objects.get(pk=run_id).plan[:-8] + "AAAAAAAA")
    execution.execute(run_id)
    run = Run.objects.get(pk=run_id)
    assert (run.status, run.message) == ("failed", execution.UNREADABLE)
