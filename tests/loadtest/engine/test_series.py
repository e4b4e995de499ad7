"""The live series and the report, as callers of Run see them. contract: load testing §11.3, §14"""

import time
from dataclasses import asdict
from typing import Any

import pytest

from loadtest.engine.figures import Figures
from loadtest.engine.plan import Mode, Outline, PlanError, Sampling
from loadtest.engine.report import report
from loadtest.engine.samples import Samples
from loadtest.engine.series import Series
from loadtest.engine.stats import Cell
from loadtest.engine.supervisor import Run, run
from tests.loadtest.engine.conftest import OK, spec_for

FIELDS = {
    "timestamp", "elapsedSeconds", "totalRequests", "totalSuccess", "totalErrors", "errorRate", "currentRps",
    "sendRate", "throughput", "activeConnections", "backpressure", "droppedRequests", "avgLatencyMs", "avgQueueWaitMs",
    "latencyP50Ms", "latencyP95Ms", "latencyP99Ms", "bytesSent", "bytesReceived", "requestsSent", "requestsExpected",
    "status2xx", "status3xx", "status4xx", "status5xx", "statusCodes",
}  # fmt: skip


@pytest.mark.parametrize(("tick_s", "least", "most"), [(0.01, 25, 52), (0.1, 5, 8), (1.0, 2, 3)])
def test_ticks_come_in_their_interval(serve: Any, tick_s: float, least: int, most: int) -> None:
    ticks: list[dict[str, Any]] = []
    spec = spec_for(serve().url, mode=Mode.CONSTANT_CONCURRENCY, concurrency=2, duration_s=0.45)
    made = run(spec, workers=1, tick_s=tick_s, on_tick=ticks.append)
    assert least <= len(ticks) <= most
    assert all(tick.keys() == FIELDS for tick in ticks)
    first, last = ticks[0], ticks[-1]
    assert not any(value for name, value in first.items() if name not in ("timestamp", "requestsExpected"))
    assert abs(first["timestamp"] / 1000 - time.time()) < 10
    for name in ("totalRequests", "droppedRequests", "bytesSent", "bytesReceived", "requestsSent", "avgQueueWaitMs"):
        assert last[name] == made["summary"][name]
    assert last["statusCodes"] == made["statusCodes"]
    assert last["latencyP99Ms"] == made["latency"]["p99"]
    assert last["avgLatencyMs"] == made["latency"]["avg"]
    assert (last["activeConnections"], last["backpressure"]) == (0, 0)
    assert last["currentRps"] > 0


def test_even_the_shortest_run_has_two_ticks(serve: Any) -> None:
    ticks: list[dict[str, Any]] = []
    run(spec_for(serve().url, iterations=3), on_tick=ticks.append)
    assert len(ticks) >= 2
    assert ticks[-1]["totalRequests"] == ticks[-1]["requestsExpected"] == 3
    assert ticks[-1]["currentRps"] > 0


def test_the_current_rate_needs_a_tenth_of_a_second() -> None:
    series = Series(Outline(mode=Mode.ITERATIONS))
    found = []
    for n in range(31):
        figures = Figures(counters={Cell.RESPONSES: 10 * n}, elapsed_ns=n * 10_000_000)
        found.append(series.tick(figures)["currentRps"])
    assert found[10:] == pytest.approx([1000] * 21)


def test_parts_on_several_supervisors_make_one_run(serve: Any) -> None:
    server = serve()
    spec = spec_for(
        server.url, mode=Mode.CONSTANT_RPS, rate=601.0, duration_s=0.5, sampling=Sampling(responses_every=20)
    )
    parts = [Run(spec, workers=workers, part=part, parts=2) for part, workers in enumerate((1, 1))]
    with parts[0], parts[1]:
        at = time.time() + 1.0
        for part in parts:
            part.start(at=at)
        while any(part.running for part in parts):
            for part in parts:
                part.tick()
        assert len({part._start_ns // 10_000_000 for part in parts}) <= 2
        figures = Figures.merge([Figures.load(part.figures().dump()) for part in parts])
        samples = Samples.merge([part.samples.dump() for part in parts])
    made = report(Outline(**asdict(spec.outline)), figures, samples, accepted_at=figures.started_at - 0.25)
    assert made["workers"] == 2
    assert made["summary"]["requestsSent"] + made["summary"]["droppedRequests"] == 300
    assert made["summary"]["requestsExpected"] == 300
    assert made["summary"]["totalRequests"] == made["summary"]["requestsSent"] >= len(server.requests) > 200
    assert made["summary"]["setupOverhead"] == pytest.approx(0.25)
    assert made["histogram"].startswith("HISTFAAA")
    assert abs(len(samples.responses) - made["summary"]["requestsSent"] / 20) <= 3  # one more for each process
    assert Series(spec.outline).tick(figures)["totalRequests"] == made["summary"]["totalRequests"]


@pytest.mark.parametrize(
    ("options", "guilty"), [({"parts": 2}, "parts"), ({"part": 1}, "parts"), ({"tick_s": 2}, "tick")]
)
def test_parts_with_nothing_to_do_are_refused(options: dict[str, Any], guilty: str) -> None:
    with pytest.raises(PlanError) as refused:
        Run(spec_for("http://127.0.0.1:1/"), **options)
    assert refused.value.field == guilty


def test_results_are_chosen_and_explained(serve: Any) -> None:
    def script(conn: Any, request: bytes, number: int) -> bool:
        if number % 40 == 3:
            time.sleep(0.03)
        if number % 40 == 5:
            return False
        conn.sendall(OK.replace(b"200", b"404") if number % 40 == 7 else OK)
        return True

    spec = spec_for(serve(script).url, iterations=400, method="POST", sampling=Sampling(every=50, slow_ms=25))
    made = run(spec, workers=1)
    slow = made["slowRequests"]["count"]
    assert slow >= 10  # on a busy machine others are slow too
    for name, count in {"errors": 20, "slow": slow, "successes": 8}.items():
        assert made["sampling"][name] == {"seen": count, "kept": count}
    assert made["errors"]["withDetails"] == made["errors"]["total"] == 20
    assert 37 <= len(made["results"]) <= 53
    assert [row["timestamp"] for row in made["results"]] == sorted(row["timestamp"] for row in made["results"])
    [refused, *_] = [row for row in made["results"] if row["statusCode"] == 404]
    assert refused["trace"]["error_code"] == "HTTP_404"
    assert refused["error"] == refused["trace"]["message"] == "HTTP 404 Not Found"
    [broken, *_] = [row for row in made["results"] if row["statusCode"] == 0]
    assert (broken["trace"]["error_type"], broken["trace"]["error_code"]) == ("connection_failed", "CONNECTION_FAILED")
    assert broken["trace"]["request_number"] > 0
    assert broken["trace"]["timing"]["totalMs"] == broken["latencyMs"]
    [late, *_] = [row["trace"] for row in made["results"] if row["trace"].get("isSlow") and row["statusCode"] == 200]
    assert late["thresholdMs"] == 25
    assert late["totalMs"] >= 25
    parts = ("queueWaitMs", "dnsMs", "connectMs", "tlsMs", "firstByteMs", "downloadMs")
    assert sum(late[name] for name in parts) == pytest.approx(late["totalMs"], abs=0.01)
