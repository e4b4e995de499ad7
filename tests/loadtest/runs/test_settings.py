"""What the settings of load testing change in runs (contract: load testing §3.2)."""

import threading
import time

import pytest
from django.db import connection

from loadtest.runs import dispatch, execution
from loadtest.runs.models import Run
from tests.loadtest.runs.conftest import BASE, ticks_of, wait_for

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.contract]


@pytest.fixture
def set_to(api):
    return lambda **values: api("ADMIN").post(f"{BASE}/config", values).json()


def test_ticks_each_10_ms_come_in_batches(set_to, make, target):
    set_to(liveTickIntervalMs=10)
    run = make(target.url, mode="constant_rps", targetRps=50, duration="400ms")
    ticks = ticks_of(run)
    assert len(ticks) > 15
    assert [tick.n for tick in run.ticks.order_by("n")] == list(range(len(ticks)))
    assert ticks[-1]["totalRequests"] == len(target.requests) > 10


def test_a_stop_does_not_wait_for_a_slow_tick(set_to, operator, begin, target):
    set_to(liveTickIntervalMs=1000)
    run_id = begin(target.url, mode="constant_rps", targetRps=50, duration="30s")
    began = time.monotonic()
    assert operator.post(f"{BASE}/run/{run_id}/stop").json()["message"] == "Run stopped"
    assert time.monotonic() - began < 2


def test_workers_are_read_at_the_start(set_to, make, target):
    set_to(workers=3)
    run = make(target.url, iterations=30, concurrency=6)
    assert run.report["workers"] == 3


def test_the_default_timeout(set_to, make, operator):
    import socket

    set_to(defaultTimeout=1000)
    with socket.create_server(("127.0.0.1", 0)) as silent:
        run = make(f"http://127.0.0.1:{silent.getsockname()[1]}/", iterations=1)
    assert run.report["errors"]["types"] == {"timeout": 1}


def test_bodies_that_are_too_large_to_list(set_to, operator, start):
    start("http://127.0.0.1:9/", iterations=1, comment="x" * 2000)
    assert "x" * 2000 in operator.get(f"{BASE}/runs").json()[0]["configSnapshot"]
    set_to(maxJsonFieldSize=1024)
    shown = operator.get(f"{BASE}/runs").json()[0]
    assert (shown["configSnapshot"], shown["config"]) == ("{}", {}) and shown["summary"]["mode"] == "iterations"


def test_runs_wait_for_a_place_and_are_told_so(settings, operator, start, begin, sent, target):
    settings.LOAD_MAX_CONCURRENT = 1
    first = begin(target.url, mode="constant_rps", targetRps=20, duration="30s")
    second = start(target.url, iterations=3)
    execution.execute(second)
    assert operator.get(f"{BASE}/run/{second}").json()["status"] == "pending"
    Run.objects.filter(pk=second).update(started_at=Run.objects.get(pk=second).started_at - 2 * dispatch_delay())
    dispatch.tick(now=Run.objects.get(pk=first).started_at + dispatch_delay())
    assert operator.get(f"{BASE}/run/{second}").json()["message"] == dispatch.WAITS
    sent.clear()
    operator.post(f"{BASE}/run/{first}/stop")
    wait_for(lambda: second in sent)  # the place calls for the next one
    execution.execute(second)
    run = Run.objects.get(pk=second)
    assert (run.status, run.message) == ("completed", "")


def dispatch_delay():
    from loadtest.runs.models import RESEND_AFTER

    return RESEND_AFTER


def test_connections_over_all_runs(set_to, operator, start, begin, target):
    set_to(maxConnections=100)
    first = begin(target.url, duration="30s", concurrency=70)
    second = start(target.url, iterations=40, concurrency=40)
    execution.execute(second)
    waiting = operator.get(f"{BASE}/run/{second}").json()
    assert waiting["status"] == "pending" and "70 of at most 100" in waiting["message"]
    small = start(target.url, iterations=30, concurrency=30)
    thread = threading.Thread(target=lambda: (execution.execute(small), connection.close()))
    thread.start()
    thread.join(10)
    assert Run.objects.get(pk=small).status == "completed"
    operator.post(f"{BASE}/run/{first}/stop")
    execution.execute(second)
    assert Run.objects.get(pk=second).status == "completed"


def test_a_warning_when_more_connections_than_usual_go_to_one_host(set_to, operator, make, target):
    set_to(workers=1, eventLoopMaxPerHost=5)
    run = make(target.url, iterations=10, concurrency=6)
    warnings = operator.get(f"{BASE}/run/{run.pk}/report").json()["warnings"]
    assert len(warnings) == 1 and "more than the usual 5" in warnings[0]


def test_iterations_end_at_the_ceiling_of_the_role(settings, make, target):
    settings.LOAD_CEILINGS = settings.LOAD_CEILINGS | {"duration_s": 0.5}
    run = make(target.url, iterations=1_000_000_000, concurrency=2)
    assert run.status == "stopped" and "longest that a load test may last" in run.message
    assert run.report["summary"]["totalRequests"] > 10
