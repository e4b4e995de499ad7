"""How runs end: stopped, deleted, killed, forgotten (contract: load testing §13)."""

import os
import signal
import threading
import time
from datetime import timedelta

import pytest
from django.db import connection
from django.utils import timezone

from config.stopping import stopping
from loadtest.runs import dispatch, state
from loadtest.runs.models import Run, RunTick
from tests.loadtest.engine.conftest import Server
from tests.loadtest.runs.conftest import BASE, ticks_of, wait_for
from tests.monitors.test_killed import descendants

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.contract]


@pytest.fixture
def silent():
    """A server that takes requests and never answers."""
    server = Server(lambda conn, request, number: time.sleep(0.02) or True)
    yield server
    server.close()


def stop(client, run_id):
    return client.post(f"{BASE}/run/{run_id}/stop")


def test_stop_of_a_run_whose_target_never_answers(operator, begin, silent):
    run_id = begin(silent.url, mode="constant_concurrency", duration="30s", concurrency=8)
    began = time.monotonic()
    answer = stop(operator, run_id)
    assert time.monotonic() - began < 2.5
    arrived = len(silent.requests)
    body = answer.json()
    assert (answer.status_code, body["message"], body["status"], body["runId"]) == (
        200,
        "Run stopped",
        "stopped",
        run_id,
    )
    assert body["summary"]["totalRequests"] == body["summary"]["errors"] == 8
    report = operator.get(f"{BASE}/run/{run_id}/report").json()
    assert report["errors"]["types"] == {"cancelled": 8}
    assert ticks_of(Run.objects.get(pk=run_id))[-1]["totalErrors"] == 8
    again = stop(operator, run_id).json()
    assert (again["message"], again["status"]) == ("Run already stopped", "stopped")
    time.sleep(0.2)
    assert len(silent.requests) == arrived


def test_two_stops_at_once(operator, begin, target):
    run_id = begin(target.url, mode="constant_rps", targetRps=50, duration="30s")
    answers = []

    def ask():
        answers.append(stop(operator, run_id).json())
        connection.close()

    threads = [threading.Thread(target=ask) for _ in range(2)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert [answer["status"] for answer in answers] == ["stopped", "stopped"]
    assert answers[0]["summary"] == answers[1]["summary"]


def test_stop_of_runs_that_are_not_active(operator, start, make, target):
    waiting = start(target.url, iterations=5)
    body = stop(operator, waiting).json()
    assert (body["message"], body["status"], body["summary"]["totalRequests"]) == ("Run stopped", "stopped", 0)
    assert operator.get(f"{BASE}/run/{waiting}").json()["message"] == "Stopped before it began"
    done = make(target.url, iterations=5)
    body = stop(operator, done.pk).json()
    assert (body["message"], body["status"]) == ("Run already completed", "completed")
    assert Run.objects.get(pk=done.pk).ended_at == done.ended_at
    abandoned = start(target.url, iterations=5)
    state.claim(run_id=abandoned, now=timezone.now() - timedelta(minutes=1))
    assert stop(operator, abandoned).json()["message"] == "Run was not active"
    assert stop(operator, "run_1").status_code == 404 and stop(operator, "run_1").json() == {"error": "Run not found"}


def test_a_stopped_run_is_not_taken_anymore(operator, start, target):
    run_id = start(target.url, iterations=5)
    stop(operator, run_id)
    assert state.claim(run_id=run_id, now=timezone.now()) is None


def test_deletion_of_an_active_run_stops_its_traffic(operator, begin, target):
    run_id = begin(target.url, mode="constant_rps", targetRps=100, duration="30s")
    answer = operator.delete(f"{BASE}/run/{run_id}")
    assert (answer.status_code, answer.json()) == (200, {"message": "Run deleted successfully", "runId": run_id})
    arrived = len(target.requests)
    assert not Run.objects.filter(pk=run_id).exists() and not RunTick.objects.filter(run_id=run_id).exists()
    for path in (f"run/{run_id}", f"run/{run_id}/report", f"stats/{run_id}?format=json"):
        assert operator.get(f"{BASE}/{path}").status_code == 404
    time.sleep(0.15)
    assert len(target.requests) == arrived


def test_a_worker_that_settles_late_removes_the_run_itself(operator, begin, target, monkeypatch):
    monkeypatch.setattr("loadtest.runs.services.SETTLES_WITHIN_S", 0.0)
    run_id = begin(target.url, mode="constant_rps", targetRps=100, duration="30s")
    assert operator.delete(f"{BASE}/run/{run_id}").status_code == 200
    assert operator.get(f"{BASE}/run/{run_id}").status_code == 404
    wait_for(lambda: not Run.objects.filter(pk=run_id).exists())
    assert not RunTick.objects.filter(run_id=run_id).exists()


def test_a_killed_engine_process(operator, begin, target):
    run_id = begin(target.url, mode="constant_rps", targetRps=100, duration="30s")
    wait_for(lambda: len(target.requests) > 10)
    (engine, *_) = descendants(os.getpid())
    os.kill(engine, signal.SIGKILL)
    wait_for(lambda: Run.objects.get(pk=run_id).is_over)
    run = operator.get(f"{BASE}/run/{run_id}").json()
    assert run["status"] == "failed" and "load processes ended" in run["message"]
    report = operator.get(f"{BASE}/run/{run_id}/report").json()
    assert report["summary"]["totalRequests"] > 5 and report["lostWorkers"] == 1
    assert any("died" in warning for warning in report["warnings"])


def test_a_lost_lease_is_settled_and_all_that_was_measured_is_kept(operator, begin, target):
    run_id = begin(target.url, mode="constant_rps", targetRps=100, duration="30s")
    wait_for(lambda: RunTick.objects.filter(run_id=run_id).count() > 3)
    now = timezone.now()
    assert dispatch.settle_abandoned(now=now) == 0
    assert dispatch.settle_abandoned(now=now + 2 * state.LEASE) == 1
    run = operator.get(f"{BASE}/run/{run_id}").json()
    assert (run["status"], run["message"]) == ("failed", dispatch.LOST)
    assert operator.get(f"{BASE}/stats/{run_id}?format=json").json()["pagination"]["total"] > 3
    arrived = wait_for(lambda: _settled(target))  # the worker gives the run up by itself
    assert arrived == len(target.requests)


def _settled(target):
    before = len(target.requests)
    time.sleep(0.3)
    return len(target.requests) == before and before


def test_a_worker_that_is_stopped_ends_its_runs_truthfully(begin, target):
    run_id = begin(target.url, mode="constant_rps", targetRps=100, duration="30s")
    stopping.set()
    try:
        wait_for(lambda: Run.objects.get(pk=run_id).is_over)
    finally:
        stopping.clear()
    run = Run.objects.get(pk=run_id)
    assert run.status == "failed" and "worker was stopped" in run.message
    assert run.report["summary"]["totalRequests"] > 0


def test_runs_that_nobody_takes_are_told_so_and_end(operator, start, target, sent):
    run_id = start(target.url, iterations=5)
    sent.clear()
    now = timezone.now()
    dispatch.tick(now=now)
    assert not sent
    dispatch.tick(now=now + timedelta(seconds=4))
    assert sent == [run_id]
    assert operator.get(f"{BASE}/run/{run_id}").json()["message"] == dispatch.WAITS
    dispatch.tick(now=now + timedelta(minutes=16))
    run = operator.get(f"{BASE}/run/{run_id}").json()
    assert (run["status"], run["message"]) == ("failed", dispatch.UNTAKEN)
