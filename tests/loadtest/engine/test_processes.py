"""Runs over several processes: exact sums, prompt stops, and nothing left behind."""

import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import psutil
import pytest

from loadtest.engine.plan import Mode
from loadtest.engine.supervisor import Run, run
from tests.loadtest.engine.conftest import OK, spec_for


def children_of(pid: int) -> list[psutil.Process]:
    return psutil.Process(pid).children(recursive=True)


def ended(process: psutil.Process) -> bool:
    """A zombie has ended too: its parent, or the system's first process, has yet to read how."""
    try:
        return process.status() == psutil.STATUS_ZOMBIE
    except psutil.NoSuchProcess:
        return True


def gone(processes: list[psutil.Process], within_s: float) -> bool:
    deadline = time.monotonic() + within_s
    while not all(map(ended, processes)):
        if time.monotonic() > deadline:
            return False
        time.sleep(0.01)
    return True


def silent(*_: Any) -> None:
    time.sleep(3)


def test_iterations_over_workers_are_exact(serve: Any) -> None:
    server = serve()
    report = run(spec_for(server.url, iterations=1001, concurrency=5), workers=3)
    assert report["workers"] == 3
    assert report["lostWorkers"] == 0
    assert len(server.requests) == 1001
    assert server.most_busy <= 5
    summary = report["summary"]
    assert summary["totalRequests"] == summary["successfulRequests"] == summary["requestsSent"] == 1001
    assert report["statusCodes"] == {"200": 1001}
    assert summary["bytesReceived"] == 1001 * len(OK)
    assert summary["bytesSent"] == sum(map(len, server.requests))


def test_rate_over_workers_is_exact(serve: Any) -> None:
    server = serve()
    ticks: list[dict[str, Any]] = []
    spec = spec_for(server.url, mode=Mode.CONSTANT_RPS, rate=1001.0, duration_s=0.7)
    report = run(spec, workers=2, on_tick=ticks.append)
    assert report["workers"] == 2
    summary = report["summary"]
    assert summary["requestsSent"] + summary["droppedRequests"] == summary["requestsExpected"] == 700
    assert summary["successfulRequests"] <= len(server.requests) <= summary["requestsSent"] == summary["totalRequests"]
    assert summary["successfulRequests"] > 600  # a very busy machine may cut some off at the end
    assert report["rateControl"]["targetRps"] == 1001.0
    assert 20 < report["rateControl"]["achievement"] <= 101
    assert len(ticks) >= 5
    totals = [tick["totalRequests"] for tick in ticks]
    assert totals == sorted(totals)
    assert totals[-1] == report["summary"]["totalRequests"]
    assert all(sum(tick["statusCodes"].values()) == tick["totalRequests"] for tick in ticks[-1:])
    assert {"avgQueueWaitMs", "latencyP99Ms", "status2xx", "status5xx", "backpressure"} <= ticks[0].keys()


def test_errors_are_errors_in_ticks_and_report(serve: Any) -> None:
    ticks: list[dict[str, Any]] = []
    server = serve(OK.replace(b"200 OK", b"500 No"))
    report = run(spec_for(server.url, iterations=50, concurrency=2), workers=2, on_tick=ticks.append)
    assert ticks[-1]["errorRate"] == report["summary"]["errorRate"] == 100
    assert report["errors"]["byStatusCode"] == {"500": 50}
    assert report["errors"]["total"] == 50
    assert report["latency"]["p50"] > 0
    assert 0 < len(report["results"]) <= 100
    assert all(element["error"] == "HTTP 500 Internal Server Error" for element in report["results"])


def test_a_stop_leaves_nothing_in_flight(serve: Any) -> None:
    server = serve(silent)
    with Run(
        spec_for(server.url, mode=Mode.CONSTANT_CONCURRENCY, concurrency=4, duration_s=60.0), workers=2
    ) as current:
        current.start()
        current.tick()
        workers = children_of(os.getpid())
        started = time.perf_counter()
        current.stop()
        current.stop()
        while current.running:
            current.tick()
        assert time.perf_counter() - started < 1.0
        assert gone(workers, 0.5)
        report = current.result()
    assert report["stopped"]
    assert report["summary"]["unfinishedRequests"] == 0
    assert report["errors"]["types"] == {"cancelled": 4}
    count = len(server.requests)
    time.sleep(0.1)
    assert len(server.requests) == count == 4


def test_a_worker_that_does_not_stop_is_killed(serve: Any) -> None:
    with Run(spec_for(serve().url, mode=Mode.CONSTANT_CONCURRENCY, duration_s=60.0)) as current:
        current.start()
        current.tick()
        [worker] = [p for p in children_of(os.getpid()) if "loadtest.engine.worker" in " ".join(p.cmdline())]
        worker.suspend()
        current.stop()
        started = time.perf_counter()
        while current.running:
            current.tick()
        assert time.perf_counter() - started < 2.0
        assert current.lost == [0]


def test_a_killed_worker_is_told_and_its_figures_kept(serve: Any) -> None:
    server = serve()
    spec = spec_for(server.url, mode=Mode.CONSTANT_CONCURRENCY, concurrency=4, duration_s=1.0)
    with Run(spec, workers=2) as current:
        current.start()
        for _ in range(4):
            current.tick()
        before = current.figures().completed
        current._processes[1].kill()
        while current.running:
            current.tick()
        report = current.result()
    assert report["lostWorkers"] == 1
    assert "1 of 2 load processes died" in report["warnings"][0]
    assert report["summary"]["totalRequests"] > before > 0


SUPERVISOR = """
import sys
from loadtest.engine.cli import main
sys.exit(main(sys.argv[1:]))
"""


def command(*arguments: str, **options: Any) -> subprocess.Popen:
    return subprocess.Popen(
        [sys.executable, "-c", SUPERVISOR, *arguments],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        cwd=Path(__file__).parents[3],
        **options,
    )


def started_workers(process: subprocess.Popen, server: Any, count: int) -> list[psutil.Process]:
    deadline = time.monotonic() + 20
    while time.monotonic() < deadline:
        if server.requests and len(children_of(process.pid)) == count:
            return children_of(process.pid)
        time.sleep(0.02)
    raise AssertionError(f"no traffic; standard error: {process.communicate(timeout=5)[1]}")


@pytest.mark.parametrize("script", [OK, silent])
def test_workers_die_with_a_killed_supervisor(serve: Any, script: Any) -> None:
    server = serve(script)
    process = command(server.url, "--concurrency", "4", "--duration", "60s", "--workers", "2")
    workers = started_workers(process, server, 2)
    process.kill()
    process.communicate()
    assert gone(workers, 1.0)
    count = len(server.requests)
    time.sleep(0.1)
    assert len(server.requests) == count


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_interrupted(serve: Any, number: signal.Signals) -> None:
    server = serve()
    process = command(server.url, "--concurrency", "2", "--duration", "60s", "--workers", "2", "--json")
    workers = started_workers(process, server, 2)
    process.send_signal(number)
    started = time.perf_counter()
    output, errors = process.communicate(timeout=10)
    assert time.perf_counter() - started < 1.5
    assert process.returncode == 130, errors
    assert gone(workers, 0.5)
    report = json.loads(output)
    assert report["stopped"]
    assert 0 < report["summary"]["totalRequests"] <= len(server.requests)


def test_the_engine_needs_no_django() -> None:
    code = (
        "import sys; import loadtest.engine.cli, loadtest.engine.worker; "
        "sys.exit(any(name.partition('.')[0] in ('django', 'celery', 'hdrh', 'psutil') for name in sys.modules))"
    )
    assert subprocess.run([sys.executable, "-c", code], cwd=Path(__file__).parents[3], check=False).returncode == 0
