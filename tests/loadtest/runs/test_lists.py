"""Lists, reports of single requests, baselines, comparison, retention (contract: load testing §13, §14, §16)."""

import json
from datetime import timedelta

import pytest
from django.utils import timezone

from loadtest.runs import comparison, dispatch, retention, services
from loadtest.runs.models import Run, RunTick
from tests.loadtest.runs.conftest import BASE

pytestmark = [pytest.mark.django_db, pytest.mark.contract]
TRACE = {"dnsMs": 1.0, "connectMs": 2.0, "tlsMs": 0.0, "firstByteMs": 3.0, "downloadMs": 1.0, "queueWaitMs": 0.0}
RESULT = {"timestamp": 1, "statusCode": 404, "statusText": "Not Found", "latencyMs": 7.0, "trace": TRACE}


def design(result=None, **body):
    run = services.begin_design_run(
        body={"method": "GET", "url": "http://a/?token=s3cret", **body}, actor=None, timeout_s=30
    )
    return services.record_design_run(run=run, result=result) if result else run


def finished(count=1, **fields):
    now = timezone.now()
    rows = [
        Run(
            id=f"run_{n}", kind="load", mode="iterations", status="completed", config={"url": f"http://h/{n}"},
            started_at=now - timedelta(minutes=count - n), ended_at=now - timedelta(minutes=count - n), **fields,
        )
        for n in range(count)
    ]  # fmt: skip
    return Run.objects.bulk_create(rows)


def test_a_list_is_bare_unless_something_is_asked_for(operator):
    finished(3)
    design(RESULT, requestId="req_7")
    bare = operator.get(f"{BASE}/runs").json()
    assert [run["id"] for run in bare[1:]] == ["run_2", "run_1", "run_0"]
    assert bare[0]["type"] == "design" and bare[0]["requestId"] == "req_7" and bare[1]["requestId"] is None
    assert json.loads(bare[0]["configSnapshot"]) == bare[0]["config"]
    assert "s3cret" not in json.dumps(bare)
    assert bare[1]["startTime"] <= bare[1]["endTime"]
    page = operator.get(f"{BASE}/runs?limit=2&type=load").json()
    assert [run["id"] for run in page["data"]] == ["run_2", "run_1"]
    assert page["pagination"] == {"total": 3, "limit": 2, "offset": 0, "hasMore": True, "returned": 2}
    assert operator.get(f"{BASE}/runs?limit=501").json()["pagination"]["limit"] == 500
    assert operator.get(f"{BASE}/runs?status=failed").json()["data"] == []
    assert [run["id"] for run in operator.get(f"{BASE}/runs?q=h/1").json()["data"]] == ["run_1"]
    assert len(operator.get(f"{BASE}/runs?requestId=req_7").json()["data"]) == 1
    for odd in ("type=x", "status=x", "limit=0", "limit=x", "offset=-1"):
        assert operator.get(f"{BASE}/runs?{odd}").status_code == 400, odd


def test_runs_of_a_collection(operator):
    collection = operator.post(f"{BASE}/collections", {"name": "Shop"}).json()["id"]
    saved = {"collectionId": collection, "name": "Basket", "method": "GET", "url": "http://a/"}
    request = operator.post(f"{BASE}/requests", saved).json()["id"]
    mine = design(RESULT, requestId=request)
    design(RESULT)
    assert [run["id"] for run in operator.get(f"{BASE}/runs?collectionId={collection}").json()["data"]] == [mine.pk]


def test_the_report_of_a_single_request(operator):
    run = design(RESULT)
    shown = operator.get(f"{BASE}/run/{run.pk}").json()
    assert (shown["status"], shown["result"]["statusCode"]) == ("completed", 404)
    report = operator.get(f"{BASE}/run/{run.pk}/report").json()
    assert report["summary"]["totalRequests"] == report["summary"]["failedRequests"] == 1
    assert report["latency"]["p99"] == 7.0 and report["timingBreakdown"]["avgFirstByteMs"] == 3.0
    assert report["errors"]["byStatusCode"] == {"404": 1} and report["errors"]["types"] == {}
    assert report["metadata"]["runType"] == "design" and report["results"][0]["trace"] == TRACE


def test_a_single_request_without_an_answer(operator):
    run = design({"timestamp": 1, "statusCode": 0, "statusText": "Error", "latencyMs": 5.0, "error": "refused",
                  "trace": {"errorCode": "CONNECTION_FAILED"}})  # fmt: skip
    report = operator.get(f"{BASE}/run/{run.pk}/report").json()
    assert operator.get(f"{BASE}/run/{run.pk}").json()["status"] == "failed"
    assert report["errors"]["types"] == {"connection_failed": 1} and report["statusCodes"] == {"0": 1}
    assert report["latency"]["max"] == 0 and "timingBreakdown" not in report


def test_a_single_request_under_way_and_one_that_was_forgotten(operator):
    run = design()
    assert operator.get(f"{BASE}/run/{run.pk}/report").json()["summary"]["totalRequests"] == 0
    assert operator.get(f"{BASE}/metrics/live/{run.pk}").status_code == 404
    assert dispatch.settle_abandoned(now=timezone.now() + timedelta(seconds=91)) == 1
    shown = operator.get(f"{BASE}/run/{run.pk}").json()
    assert (shown["status"], shown["message"]) == ("failed", dispatch.UNRECORDED)


@pytest.mark.parametrize("path", ["run/run_9", "run/run_9/report"])
def test_unknown_runs(operator, path):
    assert operator.get(f"{BASE}/{path}").json() == {"error": "Run not found"}
    assert operator.delete(f"{BASE}/run/run_9").status_code == 404


def test_old_and_surplus_runs_go_pinned_and_active_ones_stay(operator, settings):
    settings.LOAD_KEEP_RUNS, settings.LOAD_KEEP_DAYS = 3, 30
    rows = finished(6)
    RunTick.objects.create(run=rows[0], n=0, at=timezone.now(), data="{}")
    Run.objects.filter(pk="run_4").update(ended_at=timezone.now() - timedelta(days=31))
    answer = operator.put(f"{BASE}/runs/run_1/baseline", {"baseline": True})
    assert answer.status_code == 200 and answer.json()["baseline"] is True
    running = design()
    assert retention.prune(now=timezone.now()) == 3
    assert set(Run.objects.values_list("pk", flat=True)) == {"run_1", "run_3", "run_5", running.pk}
    assert not RunTick.objects.exists()
    assert operator.put(f"{BASE}/runs/run_1/baseline", {"baseline": "yes"}).status_code == 400


def report(**figures):
    summary = {"throughput": 100.0, "totalRequests": 1000, "errorRate": 0.0, "droppedRequests": 0, "avgQueueWaitMs": 0}
    latency = {"avg": 10.0, "p50": 9.0, "p95": 20.0, "p99": 30.0, "max": 50.0}
    return {name: facts | {key: figures[key] for key in facts if key in figures}
            for name, facts in (("summary", summary), ("latency", latency))}  # fmt: skip


def test_comparison():
    rows = {row["metric"]: row for row in comparison.compare(
        report(), report(throughput=120.0, p95=30.0, p50=9.1, errorRate=5.0, totalRequests=2000)
    )}  # fmt: skip
    verdicts = {name: row["verdict"] for name, row in rows.items()}
    assert verdicts["throughput"] == "better" and verdicts["p95Ms"] == "worse" and verdicts["errorRate"] == "worse"
    assert verdicts["p50Ms"] == verdicts["p99Ms"] == verdicts["totalRequests"] == "same"
    assert rows["p95Ms"]["change"] == 10 and rows["p95Ms"]["changePct"] == 50 and rows["p95Ms"]["direction"] == "up"
    assert rows["errorRate"]["changePct"] is None and rows["p99Ms"]["direction"] == "same"


def test_latency_of_a_run_without_answers_is_unknown():
    silent = report(avg=0.0, p50=0.0, p95=0.0, p99=0.0, max=0.0)
    verdicts = {row["metric"]: row["verdict"] for row in comparison.compare(report(), silent)}
    assert verdicts["p95Ms"] == "unknown" and verdicts["throughput"] == "same"


def test_comparison_over_http(operator):
    design_run, other = design(RESULT), design(RESULT | {"latencyMs": 70.0})
    body = operator.get(f"{BASE}/runs/{design_run.pk}/compare/{other.pk}").json()
    assert {row["metric"]: row["verdict"] for row in body["differences"]}["p95Ms"] == "worse"
    assert operator.get(f"{BASE}/runs/{design_run.pk}/compare/run_1").status_code == 404
