"""What the tests of the pages share: saved things, finished runs, the text of an answer."""

import json
import re
from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
from django.utils import timezone

from loadtest.ids import new_id
from loadtest.runs.models import Run, RunTick
from loadtest.workspace.models import Collection, Environment, SavedRequest

URL = "http://127.0.0.1:9/items"


def text(answer: Any) -> str:
    """The words of a page without its tags."""
    return re.sub(r"\s+", " ", re.sub(r"<[^>]+>", " ", answer.content.decode()))


@pytest.fixture
def collection(db: None) -> Collection:
    made = Collection(pk="col_1", name="Shop")
    made.variables = {"path": {"value": "/items", "enabled": True}}
    made.auth = {"mode": "bearer", "token": "tiger-42"}
    made.save()
    return made


@pytest.fixture
def environment(db: None) -> Environment:
    made = Environment(pk="env_1", name="Staging")
    made.variables = {
        "host": {"value": "http://127.0.0.1:9", "enabled": True},
        "token": {"value": "lion-43", "enabled": True, "secret": True},
    }
    made.save()
    return made


@pytest.fixture
def saved(collection: Collection) -> SavedRequest:
    return SavedRequest.objects.create(
        pk="req_1", collection=collection, name="List items", method="GET", url="{{host}}{{path}}?x={{nowhere}}"
    )


def tick(n: int, rate: float = 100.0, latency_ms: float = 10.0, base_ms: int = 1_763_800_000_000) -> dict[str, Any]:
    done = int(n * rate)
    return {
        "timestamp": base_ms + 1000 * n,
        "elapsedSeconds": float(n),
        "totalRequests": done,
        "totalSuccess": done,
        "totalErrors": 0,
        "errorRate": 0.0,
        "currentRps": rate,
        "sendRate": rate,
        "throughput": rate,
        "activeConnections": 4,
        "backpressure": 5,
        "droppedRequests": 0,
        "avgLatencyMs": latency_ms,
        "avgQueueWaitMs": 0.1,
        "latencyP50Ms": latency_ms if n else 0,
        "latencyP95Ms": 2 * latency_ms if n else 0,
        "latencyP99Ms": 3 * latency_ms if n else 0,
        "bytesSent": 100 * done,
        "bytesReceived": 1000 * done,
        "requestsSent": done,
        "requestsExpected": 0,
        "status2xx": done,
        "status3xx": 0,
        "status4xx": 0,
        "status5xx": 0,
        "statusCodes": {"200": done},
    }


def report(rate: float = 100.0, latency_ms: float = 10.0, seconds: int = 5) -> dict[str, Any]:
    done = int(rate * seconds)
    sample = {"timestamp": 1, "statusCode": 200, "statusText": "OK", "latencyMs": 31.0, "trace": {"firstByteMs": 30.5}}
    failed = {
        "timestamp": 2,
        "statusCode": 503,
        "statusText": "Service Unavailable",
        "latencyMs": 4.0,
        "error": "HTTP 503 Service Unavailable",
        "trace": {"error_type": "http_error", "request_number": 7, "timing": {"firstByteMs": 4.0}},
    }
    return {
        "summary": {
            "totalRequests": done,
            "successfulRequests": done - 1,
            "failedRequests": 1,
            "errorRate": 100 / max(done, 1),
            "testDuration": float(seconds),
            "throughput": rate,
            "peakConcurrency": 6,
            "droppedRequests": 0,
            "avgQueueWaitMs": 0.1,
            "bytesSent": 1,
            "bytesReceived": 2048,
            "connectionsOpened": 6,
        },
        "latency": {
            "min": 1.0,
            "max": 40.0,
            "avg": latency_ms,
            "median": latency_ms,
            **{f"p{part}": factor * latency_ms for part, factor in ((50, 1), (75, 1.5), (90, 1.8), (95, 2), (99, 3))},
            "p999": 39.0,
        },
        "statusCodes": {"200": done - 1, "503": 1},
        "errors": {"total": 1, "withDetails": 1, "types": {}, "byStatusCode": {"503": 1}},
        "results": [failed, sample],
        "timingBreakdown": {"avgDnsMs": 0.0, "avgConnectMs": 0.5, "avgTlsMs": 0.0, "avgFirstByteMs": 9.0},
        "slowRequests": {"count": 0, "thresholdMs": 1000, "percentage": 0.0},
    }


@pytest.fixture
def finished(saved: SavedRequest) -> Callable[..., Run]:
    """`finished(rate=50)` is a load run that is over, with a second's ticks each."""

    def make(*, rate: float = 100.0, latency_ms: float = 10.0, seconds: int = 5, **fields: Any) -> Run:
        now = timezone.now()
        base = {"base_ms": fields.pop("base_ms")} if "base_ms" in fields else {}
        config = {"method": "GET", "url": URL, "mode": "constant_concurrency", "concurrency": 4, "duration": "5s"}
        known = {
            "kind": "load",
            "status": "completed",
            "mode": "constant_concurrency",
            "request_id": saved.pk,
            "config": config | fields.pop("config", {}),
            "started_at": now - timedelta(seconds=seconds),
            "ended_at": now,
            "report": report(rate, latency_ms, seconds),
        }
        run = Run.objects.create(id=new_id("run"), **known | fields)
        RunTick.objects.bulk_create(
            RunTick(run=run, n=n, at=now, data=json.dumps({"runId": run.pk, **tick(n, rate, latency_ms, **base)}))
            for n in range(seconds + 1)
        )
        return run

    return make


@pytest.fixture
def active(finished: Callable[..., Run]) -> Callable[..., Run]:
    """`active()` is a run that a worker still makes."""

    def make(**fields: Any) -> Run:
        lease = timezone.now() + timedelta(minutes=1)
        return finished(**{"status": "running", "ended_at": None, "lease_until": lease} | fields)

    return make
