"""`/stats/:runId` (contract: load testing §12)."""

import asyncio

import pytest

from tests.loadtest.runs.conftest import BASE, ticks_of
from tests.loadtest.runs.test_live import beside, events, text_of, viewer  # noqa: F401 - fixtures

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.contract]


def page_of(client, run, query=""):
    return client.get(f"{BASE}/stats/{run.pk}?format=json{query}").json()


def test_pages_of_the_series(operator, make, target):
    run = make(target.url, mode="constant_rps", targetRps=100, duration="500ms")
    ticks = ticks_of(run)
    whole = page_of(operator, run)
    total = len(ticks)
    assert whole["pagination"] == {"total": total, "limit": 5000, "offset": 0, "hasMore": False, "returned": total}
    assert set(whole["data"][0]) == {
        "timestamp", "elapsed_seconds", "requests_completed", "requests_failed", "current_rps", "current_concurrency",
        "send_rate", "throughput", "backpressure", "error_rate", "dropped_requests", "bytes_sent", "bytes_received",
        "latency_p50_ms", "latency_p95_ms", "latency_p99_ms", "avg_latency_ms", "status_codes",
    }  # fmt: skip
    assert [point["timestamp"] for point in whole["data"]] == [tick["timestamp"] for tick in ticks]
    assert whole["data"][-1]["requests_completed"] == len(target.requests) > 25
    assert whole["data"][-1]["status_codes"] == {"200": len(target.requests)}
    second = page_of(operator, run, "&limit=2&offset=1")
    assert second["data"] == whole["data"][1:3]
    assert second["pagination"] == {"total": total, "limit": 2, "offset": 1, "hasMore": total > 3, "returned": 2}
    for odd in ("&limit=0", "&limit=-3", "&limit=many"):
        assert page_of(operator, run, odd)["pagination"]["limit"] == 5000
    assert page_of(operator, run, "&limit=999999")["pagination"]["limit"] == 50_000
    assert page_of(operator, run, "&offset=-5")["pagination"]["offset"] == 0
    beyond = page_of(operator, run, "&offset=1000")
    assert beyond["data"] == [] and beyond["pagination"]["hasMore"] is False


def test_a_run_without_ticks_and_an_unknown_one(operator, make):
    assert page_of(operator, make("http://10.0.0.1/", iterations=1))["data"] == []
    for query in ("", "?format=json"):
        answer = operator.get(f"{BASE}/stats/run_1{query}")
        assert (answer.status_code, answer.json()) == (404, {"error": "Run not found"})


async def test_a_running_run(viewer, start, beside, target):  # noqa: F811
    run_id = await asyncio.to_thread(start, target.url, mode="constant_rps", targetRps=100, duration="1200ms")
    beside(run_id)
    told = events(await text_of(viewer, f"{BASE}/stats/{run_id}"))
    assert 3 <= len(told) <= 6
    assert [name for name, _, _ in told] == ["stats"] * (len(told) - 1) + ["complete"]
    assert all(number is None for _, number, _ in told)
    last, complete = told[-2][2], told[-1][2]
    assert last["totalRequests"] == complete["totalRequests"] == len(target.requests) > 60
    assert complete["status"] == "completed" and complete["runId"] == run_id and complete["event"] == "complete"
    assert complete["finalRps"] == pytest.approx(len(target.requests) / complete["duration"])
    assert {"timestamp", "errorRate", "avgLatencyMs", "currentRps", "activeConnections", "backpressure"} <= set(last)


async def test_runs_that_are_over(viewer, make, target):  # noqa: F811
    run = await asyncio.to_thread(make, target.url, iterations=20)
    told = events(await text_of(viewer, f"{BASE}/stats/{run.pk}"))
    assert [name for name, _, _ in told] == ["stats", "complete"] and told[0][2]["totalRequests"] == 20
    failed = await asyncio.to_thread(make, "http://10.0.0.1/", iterations=20)
    told = events(await text_of(viewer, f"{BASE}/stats/{failed.pk}"))
    assert [name for name, _, _ in told] == ["stats", "complete"] and told[1][2]["status"] == "failed"
