"""What agents of another make hand in: k6's own summary, exit codes without figures (contract: monitors §7.2, §8.2)."""

from typing import Any

import pytest
from django.utils import timezone

from monitors.runs import services as runs
from monitors.runs.models import Run

pytestmark = pytest.mark.django_db

TIMES = {"avg": 12.5, "min": 1.0, "med": 10.0, "max": 40.0, "p(90)": 25.0, "p(95)": 30.0, "p(99)": 39.0, "count": 10}
EXPORTED = {
    "http_req_duration": TIMES | {"thresholds": {"p(95)<20": True, "avg<500": False}},
    "http_reqs": {"count": 10, "rate": 5.0},
    "http_req_failed": {"passes": 1, "fails": 9, "value": 0.1},
    "checks": {"passes": 8, "fails": 2, "value": 0.8},
    "iterations": {"count": 10, "rate": 5.0},
}
NESTED = {
    "http_req_duration": {
        "type": "trend", "contains": "time", "values": TIMES,
        "thresholds": {"p(95)<20": {"ok": False}, "avg<500": {"ok": True}},
    },
    "http_reqs": {"type": "counter", "values": {"count": 10, "rate": 5.0}},
    "http_req_failed": {"type": "rate", "values": {"passes": 1, "fails": 9, "rate": 0.1}},
    "checks": {"type": "rate", "values": {"passes": 8, "fails": 2, "rate": 0.8}},
    "iterations": {"type": "counter", "values": {"count": 10, "rate": 5.0}},
}  # fmt: skip


@pytest.fixture
def claimed(pinned: Any, oslo: Any) -> str:
    runs.add(monitor=pinned, trigger="manual", now=timezone.now())
    return oslo.claim()["runId"]


@pytest.mark.parametrize("metrics", [EXPORTED, NESTED])
def test_a_summary_of_k6_is_read_as_it_is(oslo: Any, admin: Any, claimed: str, metrics: Any) -> None:
    answer = oslo.complete(claimed, exitCode=99, timedOut=False, result={"metrics": metrics, "root_group": {}})
    assert answer.status_code == 200, answer.content
    run = admin.get(f"/api/runs/{claimed}").json()
    figures = run["metrics"]
    assert (run["status"], run["exitCode"]) == ("fail", 99)
    assert [figures[name] for name in ("p50", "p95", "p99", "avg", "min", "max")] == [10, 30, 39, 12.5, 1, 40]
    assert [figures[name] for name in ("errorRate", "throughput", "samples", "failed")] == [0.1, 5, 10, 1]
    assert figures["checksFailed"] == 2 and figures.get("apdex") is None
    breach = run["thresholdBreaches"][0]
    assert len(run["thresholdBreaches"]) == 1
    assert (breach["threshold"], breach["expression"], breach["actual"]) == ("script", "p(95)<20", 30)


@pytest.mark.parametrize(
    ("body", "code"),
    [
        ({"exitCode": 107, "result": {"metrics": {}}}, "script_error"),
        ({"exitCode": 107, "result": None}, "script_error"),
        ({"exitCode": 0, "result": {"metrics": {}}}, "no_samples"),
        ({"exitCode": 105, "result": {"metrics": EXPORTED}}, "internal"),
    ],
)
def test_an_end_without_figures_is_an_error(oslo: Any, claimed: str, body: dict, code: str) -> None:
    assert oslo.complete(claimed, timedOut=False, **body).json()["status"] == "error"
    assert Run.objects.get(pk=claimed).error_code == code


@pytest.mark.parametrize(
    "metrics",
    [
        {"http_reqs": 5},
        {"http_reqs": {"count": "x"}},
        {"http_reqs": {"count": 1}},
        {"http_reqs": {"count": 1, "rate": 1}, "http_req_failed": {"value": 7}, "http_req_duration": TIMES},
        {"http_reqs": {"count": 1, "rate": 1}, "http_req_duration": {"p(95)": "fast"}},
        {"http_reqs": {"count": 1e999, "rate": 1}},
        {"http_req_duration": {"thresholds": [1]}},
    ],
)
def test_a_summary_that_is_none_is_refused(oslo: Any, claimed: str, metrics: dict) -> None:
    answer = oslo.complete(claimed, exitCode=0, result={"metrics": metrics})
    assert (answer.status_code, answer.json()["error"]) == (400, "invalid_request")
    assert Run.objects.get(pk=claimed).status == "running"


def test_the_running_minute_is_part_of_the_history(oslo: Any, admin: Any) -> None:
    assert admin.get(f"/api/agents/{oslo.id}/metrics").json()["history"] == []
    oslo.beat(metrics={"cpuPercent": 12.5, "memoryPercent": 40})
    history = admin.get(f"/api/agents/{oslo.id}/metrics?minutes=1").json()["history"]
    assert [(one["cpuPercent"], one["memoryPercent"], one["activeRuns"]) for one in history] == [(12.5, 40, 0)]
