"""The tick: which fire times become runs, and how many (contract: monitors §4)."""

import threading
import time
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import uuid4

import pytest
from django.db import connection

from monitors.monitors.models import Monitor
from monitors.runs import claiming, dispatch, services
from monitors.runs.models import Run, Status
from tests.monitors.conftest import encoded, http_monitor, k6_monitor

pytestmark = pytest.mark.django_db
FIRE = datetime(2030, 5, 6, 12, 0, tzinfo=UTC)


@pytest.fixture
def due(create: Any, sent: list[str]) -> Any:
    """`due()` is a monitor of every minute that is due at FIRE."""

    def make(**fields: Any) -> Monitor:
        monitor = create(http_monitor(schedule="* * * * *"), **fields)
        Monitor.objects.filter(pk=monitor.pk).update(next_run_at=FIRE if monitor.enabled else None)
        monitor.refresh_from_db()
        return monitor

    return make


def test_a_fire_becomes_one_run(due: Any, sent: list[str], django_capture_on_commit_callbacks: Any) -> None:
    monitor = due()
    assert dispatch.claim_due(now=FIRE - timedelta(seconds=1)) == 0
    with django_capture_on_commit_callbacks(execute=True):
        assert dispatch.claim_due(now=FIRE + timedelta(seconds=1)) == 1
    assert dispatch.claim_due(now=FIRE + timedelta(seconds=1)) == 0
    run = Run.objects.get()
    assert (run.status, run.trigger, run.scheduled_at, run.requested_by) == ("queued", "schedule", FIRE, "")
    assert sent == [str(run.pk)]
    monitor.refresh_from_db()
    assert monitor.next_run_at == FIRE + timedelta(minutes=1)


def test_a_paused_monitor_does_not_fire(due: Any) -> None:
    due(enabled=False)
    assert dispatch.claim_due(now=FIRE) == 0


@pytest.mark.parametrize(("late_s", "fire_s"), [(0, 0), (59, 0), (60, 0), (61, 60), (600, 600), (655, 600)])
def test_only_the_newest_missed_fire_is_made_up(due: Any, late_s: int, fire_s: int) -> None:
    monitor = due()
    dispatch.claim_due(now=FIRE + timedelta(seconds=late_s))
    assert Run.objects.get().scheduled_at == FIRE + timedelta(seconds=fire_s)
    monitor.refresh_from_db()
    assert monitor.next_run_at > FIRE + timedelta(seconds=late_s)


def test_a_fire_older_than_a_minute_is_not_made_up(due: Any) -> None:
    monitor = due()
    Monitor.objects.update(schedule="0 12 * * *")
    dispatch.claim_due(now=FIRE + timedelta(seconds=61))
    assert not Run.objects.exists()
    monitor.refresh_from_db()
    assert (monitor.next_run_at, monitor.skipped_runs) == (FIRE + timedelta(days=1), 0)


@pytest.mark.parametrize("state", ["queued", "running", "waiting"])
def test_a_fire_that_finds_an_active_run_is_counted_as_skipped(due: Any, state: str) -> None:
    monitor = due()
    run = services.add(monitor=monitor, trigger="manual", now=FIRE, waiting=state == "waiting")
    if state == "running":
        services.claim(run_id=run.pk, now=FIRE)
    dispatch.claim_due(now=FIRE)
    assert Run.objects.count() == 1
    monitor.refresh_from_db()
    assert (monitor.skipped_runs, monitor.next_run_at) == (1, FIRE + timedelta(minutes=1))


def test_a_run_left_waiting_is_promoted(due: Any, sent: list[str], django_capture_on_commit_callbacks: Any) -> None:
    run = services.add(monitor=due(), trigger="manual", now=FIRE, waiting=True)
    with django_capture_on_commit_callbacks(execute=True):
        dispatch.promote_waiting(now=FIRE + timedelta(seconds=4))
    run.refresh_from_db()
    assert (run.waiting, sent) == (False, [str(run.pk)])


def test_five_hundred_due_monitors_are_queued_in_time(due: Any) -> None:
    first = due()
    rows = []
    for number in range(500):
        copy = Monitor.objects.get(pk=first.pk)
        copy.pk, copy.name = uuid4(), f"m{number}"
        rows.append(copy)
    Monitor.objects.bulk_create(rows)
    first.delete()
    began = time.monotonic()
    assert dispatch.claim_due(now=FIRE) == 500
    assert time.monotonic() - began < 5
    assert Run.objects.filter(status=Status.QUEUED).count() == 500


@pytest.mark.django_db(transaction=True)
def test_dispatchers_beside_each_other_make_one_run_each(due: Any) -> None:
    for number in range(20):
        due(name=f"m{number}")
    barrier, won = threading.Barrier(4), []

    def race() -> None:
        barrier.wait()
        won.append(dispatch.claim_due(now=FIRE + timedelta(seconds=2)))
        connection.close()

    threads = [threading.Thread(target=race) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(timeout=30)
    assert sum(won) == 20 == Run.objects.count()
    assert Run.objects.values("monitor", "scheduled_at").distinct().count() == 20


@pytest.mark.django_db(transaction=True)
def test_triggers_beside_each_other_make_one_run(due: Any, operator: Any) -> None:
    monitor, barrier, codes = due(), threading.Barrier(4), []

    def race() -> None:
        from tests.support.client import ApiClient

        client = ApiClient(headers={"Authorization": f"Bearer {operator.raw_key}"})
        barrier.wait()
        codes.append(client.post(f"/api/monitors/{monitor.pk}/run").status_code)
        connection.close()

    threads = [threading.Thread(target=race) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(timeout=30)
    assert sorted(codes) == [202, 409, 409, 409]
    assert Run.objects.count() == 1


def test_a_change_of_schedule_between_look_and_claim_wins(due: Any) -> None:
    monitor = due()
    Monitor.objects.update(next_run_at=FIRE + timedelta(hours=1))
    assert claiming._claim([monitor.pk], now=FIRE, clock=lambda: FIRE, upcoming=claiming._upcoming(FIRE)) == []
    monitor.refresh_from_db()
    assert monitor.next_run_at == FIRE + timedelta(hours=1) and not Run.objects.exists()


def test_a_run_by_hand_that_comes_between_leaves_the_others(due: Any, monkeypatch: Any) -> None:
    """The look for active runs saw none; the database refuses the second one."""
    monitors = [due(name=f"m{number}") for number in range(3)]
    by_hand = services.add(monitor=monitors[1], trigger="manual", now=FIRE)
    monkeypatch.setattr(claiming, "ACTIVE", ())
    assert dispatch.claim_due(now=FIRE) == 2
    assert set(Run.objects.filter(trigger="schedule").values_list("monitor", flat=True)) == {
        monitors[0].pk,
        monitors[2].pk,
    }
    monitors[1].refresh_from_db()
    assert monitors[1].skipped_runs == 1 and Run.objects.get(monitor=monitors[1]).pk == by_hand.pk


def test_a_run_has_the_newest_script(create: Any, operator: Any, sent: list[str]) -> None:
    monitor = create(k6_monitor("// 1"))
    operator.patch(f"/api/monitors/{monitor.pk}", {"scriptContent": encoded("// 2")})
    Monitor.objects.update(next_run_at=FIRE)
    dispatch.claim_due(now=FIRE)
    assert Run.objects.get().script.body == "// 2"


def test_a_schedule_whose_last_date_has_come_is_over(due: Any, monkeypatch: Any) -> None:
    monitor = due()
    monkeypatch.setattr(claiming, "next_fire", lambda *_: None)
    assert dispatch.claim_due(now=FIRE) == 0
    monitor.refresh_from_db()
    assert (monitor.enabled, monitor.next_run_at) == (False, None)


def test_a_woken_worker_takes_all_that_waits(due: Any, sent: list[str], monkeypatch: Any) -> None:
    from monitors.runs import execution

    monkeypatch.setattr(execution.Runner, "make", lambda runner: made.append(runner._run.pk))
    made: list[Any] = []
    for number in range(40):
        due(name=f"m{number}")
    dispatch.claim_due(now=FIRE)
    execution.execute(Run.objects.first().pk)
    assert len(set(made)) == 40 == len(made)
