"""A run spread over several workers: one series, one report, and no lost part is hidden."""

import os
import signal
import threading
from datetime import timedelta

import pytest
from django.db import connection
from django.utils import timezone

from loadtest.runs import parts, shards
from loadtest.runs.models import Run, RunShard
from tests.loadtest.runs.conftest import BASE, ticks_of, wait_for
from tests.monitors.test_killed import descendants

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.storage]


@pytest.fixture
def workers(monkeypatch, settings):
    """Parts are taken at once, each by a thread of its own; `workers.absent` holds those that nobody takes."""
    from loadtest.runs.tasks import execute_part

    settings.LOAD_MAX_CONCURRENT = 4
    monkeypatch.setattr(shards, "LEAD_S", 0.7)
    monkeypatch.setattr(shards, "READY_WITHIN_S", 1.0)
    monkeypatch.setattr(parts, "TELL_S", 0.1)
    threads, absent = [], set()

    def work(run_id, index):
        try:
            execute_part(run_id, index)
        finally:
            connection.close()

    def send(args, **options):
        if args[1] not in absent:
            threads.append(threading.Thread(target=work, args=args))
            threads[-1].start()

    monkeypatch.setattr(execute_part, "apply_async", send)
    send.absent = absent
    yield send
    for thread in threads:
        thread.join(10)
        assert not thread.is_alive()


def test_the_parts_add_up(workers, make, operator, target):
    run = make(target.url, iterations=301, concurrency=6, shards=3)
    assert (run.status, run.message) == ("completed", "")
    assert len(target.requests) == 301
    report = operator.get(f"{BASE}/run/{run.pk}/report").json()
    assert report["summary"]["totalRequests"] == 301 and report["statusCodes"] == {"200": 301}
    assert [part["totalRequests"] for part in report["shards"]] == [101, 100, 100]
    assert [part["status"] for part in report["shards"]] == ["finished"] * 3
    ticks = ticks_of(run)
    assert ticks[0]["totalRequests"] == 0 and ticks[-1]["totalRequests"] == 301
    assert ticks[-1]["latencyP95Ms"] == report["latency"]["p95"]
    assert report["results"] and report["warnings"] == []


def test_a_part_that_nobody_takes_is_told(workers, make, operator, target):
    workers.absent.add(1)
    run = make(target.url, iterations=20, concurrency=2, shards=2)
    report = operator.get(f"{BASE}/run/{run.pk}/report").json()
    assert run.status == "completed" and report["summary"]["totalRequests"] == 10
    assert report["shards"][1]["status"] == "lost" and report["shards"][1]["message"] == shards.UNTAKEN
    assert any("1 parts of the run were lost" in text for text in report["warnings"])


def test_without_any_worker_the_run_fails(workers, make, target):
    workers.absent.update((0, 1))
    run = make(target.url, iterations=20, concurrency=2, shards=2)
    assert (run.status, run.message) == ("failed", "No load worker took any part of this run.")
    assert not target.requests


def test_stop_reaches_every_part(workers, begin, operator, target):
    run_id = begin(target.url, mode="constant_rps", targetRps=50, duration="30s", shards=2)
    wait_for(lambda: len(target.requests) > 5)
    body = operator.post(f"{BASE}/run/{run_id}/stop").json()
    assert (body["message"], body["status"]) == ("Run stopped", "stopped")
    statuses = RunShard.objects.filter(run_id=run_id).values_list("status", flat=True)
    assert set(statuses) == {"finished"}
    assert body["summary"]["totalRequests"] == len(target.requests)


def test_a_part_whose_processes_die_is_told_and_the_other_goes_on(workers, begin, operator, target):
    run_id = begin(target.url, mode="constant_rps", targetRps=60, duration="1s", shards=2)
    wait_for(lambda: len(target.requests) > 10)
    os.kill(descendants(os.getpid())[0], signal.SIGKILL)
    wait_for(lambda: Run.objects.get(pk=run_id).is_over)
    run = Run.objects.get(pk=run_id)
    report = operator.get(f"{BASE}/run/{run_id}/report").json()
    assert run.status == "completed"
    assert sorted(part["status"] for part in report["shards"]) == ["finished", "lost"]
    lost = next(part for part in report["shards"] if part["status"] == "lost")
    assert "load processes ended" in lost["message"] and lost["totalRequests"] > 0
    assert report["lostParts"] == 1 and report["warnings"]
    assert 30 < report["summary"]["totalRequests"] < 60


def test_a_silent_worker_is_lost(workers, begin, operator, target):
    workers.absent.add(1)
    run_id = begin_with_claimed_part(begin, target)
    wait_for(lambda: Run.objects.get(pk=run_id).is_over)
    report = operator.get(f"{BASE}/run/{run_id}/report").json()
    assert report["shards"][1]["message"] == shards.SILENT and report["summary"]["totalRequests"] == 10


def begin_with_claimed_part(begin, target):
    """Part 1 is taken by a worker that says nothing afterwards."""

    def claim():
        wait_for(lambda: RunShard.objects.filter(index=1, run__status="running").exists())
        shard = RunShard.objects.get(index=1)
        parts.claim(shard.run_id, 1, now=timezone.now() - timedelta(seconds=4))
        connection.close()

    thread = threading.Thread(target=claim)
    thread.start()
    run_id = begin(target.url, iterations=20, concurrency=2, shards=2)
    thread.join()
    return run_id
