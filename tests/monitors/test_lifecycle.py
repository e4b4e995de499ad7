"""Asking for runs, waiting, cancelling, leases (contract: monitors §1.2, §5.1)."""

import uuid
from datetime import timedelta
from typing import Any

import pytest
from django.db import IntegrityError, transaction
from django.utils import timezone

from monitors.monitors.models import Monitor
from monitors.runs import dispatch, execution, services
from monitors.runs.models import Run, Status
from monitors.runs.tasks import execute
from monitors.tools.base import Stopped
from tests.monitors.conftest import http_monitor

pytestmark = pytest.mark.django_db


def run_path(monitor: Monitor) -> str:
    return f"/api/monitors/{monitor.pk}/run"


def test_a_second_run_is_a_conflict_or_waits(
    operator: Any, create: Any, sent: list[str], django_capture_on_commit_callbacks: Any
) -> None:
    monitor = create()
    with django_capture_on_commit_callbacks(execute=True):
        first = operator.post(run_path(monitor)).json()
    assert first["status"] == "queued" and sent == [first["runId"]]
    answer = operator.post(run_path(monitor))
    assert (answer.status_code, answer.json()["error"]) == (409, "schedule_conflict")
    assert answer.json()["runId"] == first["runId"]
    assert operator.get(f"/api/monitors/{monitor.pk}").json()["activeRunId"] == first["runId"]

    with django_capture_on_commit_callbacks(execute=True):
        second = operator.post(run_path(monitor), {"queue": True})
    assert second.status_code == 202 and sent == [first["runId"]]
    early = services.claim(run_id=second.json()["runId"], now=timezone.now())
    assert early is None, "a worker that hears of it too early leaves it alone"
    assert Run.objects.get(pk=second.json()["runId"]).status == Status.QUEUED
    with django_capture_on_commit_callbacks(execute=True):
        operator.post(f"/api/runs/{first['runId']}/cancel")
    assert sent == [first["runId"], second.json()["runId"]]
    assert Run.objects.active().get().pk == uuid.UUID(second.json()["runId"])


@pytest.mark.parametrize("body", ["{", "[1]", '{"queue": "maybe"}', '{"queue": 1}'])
def test_bad_bodies_of_a_run(operator: Any, create: Any, body: str) -> None:
    answer = operator.post(run_path(create()), body)
    assert answer.status_code == 400
    assert not Run.objects.exists()


def test_waiting_runs_are_bounded(operator: Any, create: Any, sent: list[str]) -> None:
    monitor = create()
    for _ in range(services.MOST_WAITING + 1):
        assert operator.post(run_path(monitor), {"queue": True}).status_code == 202
    assert operator.post(run_path(monitor), {"queue": True}).status_code == 409


def test_a_paused_monitor_runs_by_hand(operator: Any, create: Any, sent: list[str]) -> None:
    assert operator.post(run_path(create(enabled=False))).status_code == 202


def test_viewers_run_and_cancel_nothing(api: Any, operator: Any, create: Any, sent: list[str]) -> None:
    monitor = create()
    assert api("VIEWER").post(run_path(monitor)).status_code == 403
    run_id = operator.post(run_path(monitor)).json()["runId"]
    assert api("VIEWER").post(f"/api/runs/{run_id}/cancel").status_code == 403


def test_cancelling_a_queued_run(operator: Any, create: Any, sent: list[str]) -> None:
    run_id = operator.post(run_path(create())).json()["runId"]
    answer = operator.post(f"/api/runs/{run_id}/cancel")
    assert (answer.status_code, answer.json()["status"], answer.json()["startedAt"]) == (202, "cancelled", None)
    assert operator.post(f"/api/runs/{run_id}/cancel").status_code == 200
    assert operator.get(f"/api/runs/{run_id}/logs").content == b""
    execute(run_id)
    assert Run.objects.get(pk=run_id).status == Status.CANCELLED


def test_the_database_holds_one_active_run(create: Any) -> None:
    monitor, now = create(), timezone.now()
    services.add(monitor=monitor, trigger="manual", now=now)
    with pytest.raises(IntegrityError), transaction.atomic():
        services.add(monitor=monitor, trigger="manual", now=now)


def test_a_lost_lease_ends_the_run_and_the_late_worker_changes_nothing(
    create: Any, operator: Any, sent: list[str]
) -> None:
    monitor, now = create(), timezone.now()
    queued = services.add(monitor=monitor, trigger="manual", now=now)
    mine = services.claim(run_id=queued.pk, now=now)
    assert services.claim(run_id=queued.pk, now=now) is None
    assert services.renew(run=mine, now=now)
    assert dispatch.settle_abandoned(now=now + timedelta(seconds=19)) == 0
    assert dispatch.settle_abandoned(now=now + timedelta(seconds=21)) == 1
    assert not services.renew(run=mine, now=now)
    assert not services.finish(run=mine, status=Status.PASS, now=now, metrics={"p95": 1.0})
    run = operator.get(f"/api/runs/{queued.pk}").json()
    assert (run["status"], run["error"]["code"], run["metrics"]) == ("error", "worker_lost", None)
    with pytest.raises(Stopped, match="lost"):
        runner = execution.Runner(mine, 0)
        runner._looked_at = 0
        runner.poll()


def test_an_abandoned_run_that_should_be_cancelled_is_cancelled(create: Any, operator: Any) -> None:
    now = timezone.now()
    queued = services.add(monitor=create(), trigger="manual", now=now)
    services.claim(run_id=queued.pk, now=now)
    assert operator.post(f"/api/runs/{queued.pk}/cancel").status_code == 202
    dispatch.settle_abandoned(now=now + timedelta(seconds=30))
    assert Run.objects.get(pk=queued.pk).status == Status.CANCELLED


def test_a_run_that_nobody_takes(create: Any, operator: Any) -> None:
    now = timezone.now()
    short = services.add(monitor=create(schedule="* * * * *"), trigger="manual", now=now)
    long = services.add(monitor=create(schedule="@daily"), trigger="manual", now=now)
    dispatch.settle_untaken(now=now + timedelta(seconds=59))
    assert Run.objects.active().count() == 2
    dispatch.settle_untaken(now=now + timedelta(seconds=61))
    assert operator.get(f"/api/runs/{short.pk}").json()["error"]["code"] == "agent_unavailable"
    dispatch.settle_untaken(now=now + timedelta(seconds=299))
    assert Run.objects.get(pk=long.pk).status == Status.QUEUED
    dispatch.settle_untaken(now=now + timedelta(seconds=301))
    assert Run.objects.get(pk=long.pk).status == Status.ERROR


def test_a_full_worker_leaves_the_run_queued(create: Any, operator: Any, sent: list[str], settings: Any) -> None:
    settings.MONITOR_MAX_CONCURRENT = 1
    taken = execution.slots.take()
    try:
        run_id = operator.post(run_path(create())).json()["runId"]
        execute(run_id)
        assert Run.objects.get(pk=run_id).status == Status.QUEUED
    finally:
        execution.slots.give(taken)
    now = timezone.now()
    dispatch.tick(now=now)
    assert sent == []
    dispatch.tick(now=now + timedelta(seconds=4))
    assert sent == [run_id]


def test_who_finished_a_run_takes_the_next(create: Any, operator: Any, sent: list[str], local_server: Any) -> None:
    first, second = (create(http_monitor(local_server.url)) for _ in range(2))
    ids = [operator.post(run_path(monitor)).json()["runId"] for monitor in (first, second)]
    execute(ids[0])
    assert set(Run.objects.values_list("status", flat=True)) == {Status.PASS} and len(ids) == 2


def test_uncounted_runs_come_in_the_order_of_their_end(create: Any) -> None:
    now, ended = timezone.now(), []
    for seconds in (30, 10, 20):
        run = services.add(monitor=create(), trigger="manual", now=now)
        run = services.claim(run_id=run.pk, now=now)
        services.finish(run=run, status=Status.PASS, now=now + timedelta(seconds=seconds))
        ended.append(run)
    services.add(monitor=create(), trigger="manual", now=now)
    assert list(Run.objects.uncounted()) == [ended[1], ended[2], ended[0]]
    Run.objects.filter(pk=ended[1].pk).update(counted_at=now)
    assert list(Run.objects.uncounted()) == [ended[2], ended[0]]
    assert list(Run.objects.counted()) == [ended[1]]


def test_a_fault_of_ours_ends_the_run(create: Any, run_now: Any, monkeypatch: Any) -> None:
    def broken(*_: Any) -> None:
        raise RuntimeError("secret detail")

    monitor = create()
    monkeypatch.setattr("monitors.tools.http.Http.measure", broken)
    run = run_now(monitor)
    assert (run.status, run.error_code) == (Status.ERROR, "internal")
    assert "secret detail" not in run.error_message


def test_a_worker_that_stops_ends_its_run(create: Any, run_now: Any, local_server: Any, monkeypatch: Any) -> None:
    from config.stopping import stopping

    local_server.answer(hang=True)
    monitor = create(http_monitor(local_server.url))
    monkeypatch.setattr("monitors.runs.execution.services.claim", _and_stop(services.claim, stopping))
    try:
        run = run_now(monitor)
    finally:
        stopping.clear()
    assert (run.status, run.error_code) == (Status.ERROR, "worker_lost")


def _and_stop(claim: Any, stopping: Any) -> Any:
    def claimed(**arguments: Any) -> Any:
        stopping.set()
        return claim(**arguments)

    return claimed
