"""Runs with the `http` tool against a real server on loopback (contract: monitors §5, §8.5)."""

import threading
import time
from typing import Any

import pytest

from monitors.monitors.parameters import MASK
from monitors.runs.models import Status
from tests.monitors.conftest import http_monitor

pytestmark = pytest.mark.django_db


def test_a_run_that_passes(create: Any, run_now: Any, operator: Any, local_server: Any) -> None:
    local_server.answer(delay_s=0.02)
    monitor = create(http_monitor(local_server.url, request={"samples": 4, "concurrency": 2}))
    run_now(monitor)
    [run] = operator.get(f"/api/monitors/{monitor.pk}/runs").json()
    assert (run["status"], run["tool"], run["trigger"], run["error"]) == ("pass", "http", "manual", None)
    assert (run["agentId"], run["scriptVersion"], run["exitCode"]) == ("default", None, None)
    assert run["requestedBy"] == operator.user.email
    assert run["queuedAt"] <= run["startedAt"] <= run["completedAt"]
    assert run["thresholdBreaches"] == [] and run["durationMs"] > 20
    metrics = run["metrics"]
    assert (metrics["samples"], metrics["failed"], metrics["errorRate"], metrics["apdex"]) == (4, 0, 0, 1)
    assert 20 <= metrics["min"] <= metrics["p50"] <= metrics["p95"] <= metrics["p99"] <= metrics["max"] < 1000
    assert metrics["throughput"] > 0 and metrics["firstByteMs"] >= 20 and metrics["tlsMs"] is None
    assert metrics["certificateDaysLeft"] is None
    assert len(local_server.requests) == 4
    summary = operator.get(f"/api/monitors/{monitor.pk}").json()
    assert (summary["lastRun"], summary["lastStatus"]) == (run["startedAt"], "pass")
    log = operator.get(f"/api/runs/{run['id']}/logs")
    assert log["Content-Type"] == "text/plain; charset=utf-8"
    assert log.content.decode().startswith("[runner] ") and "sample 4 of 4: status 200" in log.content.decode()


def test_breaches_tell_value_and_limit(create: Any, run_now: Any, local_server: Any) -> None:
    local_server.answer(delay_s=0.05)
    limits = {"latencyMs": 10, "apdexMin": 0.9, "apdexTMs": 1, "throughputMin": 1e6, "p50Ms": 60_000}
    run = run_now(create(http_monitor(local_server.url, thresholds=limits)))
    assert run.status == Status.FAIL
    assert [one["threshold"] for one in run.breaches] == ["latencyMs", "apdexMin", "throughputMin"]
    first = run.breaches[0]
    assert (first["metric"], first["limit"], first["unit"]) == ("p95", 10, "ms")
    assert first["actual"] == run.metrics["p95"] > 50
    assert first["message"] == f"p95 {first['actual']:g} ms is over 10 ms"


def test_every_failed_request_is_a_breach_without_thresholds(create: Any, run_now: Any, local_server: Any) -> None:
    local_server.answer(status=503)
    run = run_now(create(http_monitor(local_server.url)))
    assert (run.status, run.metrics["errorRate"], run.metrics["apdex"]) == (Status.FAIL, 1, 0)
    assert [one["threshold"] for one in run.breaches] == ["availability"]


@pytest.mark.parametrize(
    ("answer", "expect", "ok"),
    [
        ({"status": 301}, {}, True),
        ({"status": 404}, {}, False),
        ({"status": 404}, {"status": [404, 410]}, True),
        ({"status": 201}, {"status": "2xx"}, True),
        ({"status": 301}, {"status": "2xx"}, False),
        ({"body": "all is well"}, {"bodyContains": "is well"}, True),
        ({"body": "broken"}, {"bodyContains": "is well"}, False),
        ({"headers": {"X-Region": "north-1"}}, {"headerContains": "x-region: NORTH"}, True),
        ({"headers": {"X-Region": "north-1"}}, {"headerContains": {"X-Region": "south"}}, False),
        ({"body": "x" * 100}, {"maxBytes": 100}, True),
        ({"body": "x" * 101}, {"maxBytes": 100}, False),
        ({"drop": True}, {}, False),
    ],
)
def test_expectations(create: Any, run_now: Any, local_server: Any, answer: dict, expect: dict, ok: bool) -> None:
    local_server.answer(**answer)
    run = run_now(create(http_monitor(local_server.url, request={"expect": expect})))
    assert (run.status, run.metrics["failed"]) == ((Status.PASS, 0) if ok else (Status.FAIL, 1))


def test_parameters_are_filled_in_and_secrets_stay_out_of_the_log(
    create: Any, run_now: Any, operator: Any, local_server: Any
) -> None:
    local_server.answer(status=500)
    body = http_monitor(
        local_server.url + "/${PLACE}?k=${API_KEY}",
        parameters={"PLACE": "shop", "API_KEY": "tiger-42!"},
        request={"method": "post", "body": "who=${PLACE}", "headers": {"X-Token": "${API_KEY}"}},
    )
    run = run_now(create(body))
    got = local_server.requests[-1]
    assert (got.method, got.path, got.body) == ("POST", "/shop?k=tiger-42!", b"who=shop")
    assert got.headers["x-token"] == "tiger-42!"
    log = operator.get(f"/api/runs/{run.pk}/logs").content.decode()
    assert "tiger" not in log and f"/shop?k={MASK}" in log


def test_a_hanging_target_fails_its_samples_in_time(create: Any, run_now: Any, local_server: Any) -> None:
    local_server.answer(hang=True)
    began = time.monotonic()
    run = run_now(create(http_monitor(local_server.url, request={"timeoutMs": 200, "samples": 2})))
    assert time.monotonic() - began < 3
    assert (run.status, run.metrics["failed"]) == (Status.FAIL, 2)
    assert 190 < run.metrics["min"] < 1000


def test_a_dripping_target(create: Any, run_now: Any, local_server: Any) -> None:
    local_server.answer(body="x" * 100, body_s=30)
    run = run_now(create(http_monitor(local_server.url, request={"timeoutMs": 300})))
    assert (run.status, run.metrics["failed"]) == (Status.FAIL, 1)


def test_the_time_of_the_run_ends_it(create: Any, run_now: Any, local_server: Any) -> None:
    local_server.answer(hang=True)
    monitor = create(http_monitor(local_server.url, request={"samples": 3}))
    monitor.timeout_s = 1
    monitor.save(update_fields=["timeout_s"])
    began = time.monotonic()
    run = run_now(monitor)
    assert (run.status, run.error) == (Status.TIMEOUT, None)
    assert time.monotonic() - began < 3


def test_a_target_that_is_refused(create: Any, run_now: Any, settings: Any, local_server: Any) -> None:
    monitor = create(http_monitor(f"http://localhost:{local_server.port}/"))
    settings.OUTBOUND_ALLOW_LOOPBACK = False
    run = run_now(monitor)
    assert (run.status, run.error_code) == (Status.ERROR, "script_error")
    assert "not allowed" in run.error_message and not local_server.requests


def test_denied_networks(operator: Any, create: Any, run_now: Any, settings: Any, local_server: Any) -> None:
    from ipaddress import ip_network

    monitor = create(http_monitor(local_server.url))
    settings.MONITOR_TARGET_DENY = [ip_network("127.0.0.0/8")]
    assert run_now(monitor).status == Status.ERROR
    assert operator.post("/api/monitors", http_monitor(local_server.url)).status_code == 400
    assert not local_server.requests


def test_metadata_addresses_are_closed(operator: Any, create: Any, run_now: Any, local_server: Any) -> None:
    for address in ("169.254.169.254", "[fd00:ec2::254]", "[::ffff:169.254.169.254]", "2852039166"):
        assert operator.post("/api/monitors", http_monitor(f"http://{address}/latest/")).status_code == 400, address
    local_server.redirect("/", "http://169.254.169.254/latest/meta-data/")
    run = run_now(create(http_monitor(local_server.url)))
    assert run.status == Status.ERROR and "metadata" in run.error_message


@pytest.mark.django_db(transaction=True)
def test_cancel_while_the_target_hangs(create: Any, operator: Any, local_server: Any, sent: list[str]) -> None:
    from django.db import connection

    from monitors.runs.tasks import execute

    local_server.answer(hang=True)
    monitor = create(http_monitor(local_server.url, request={"timeoutMs": 5000}))
    run_id = operator.post(f"/api/monitors/{monitor.pk}/run").json()["runId"]

    def work() -> None:
        execute(run_id)
        connection.close()

    worker = threading.Thread(target=work)
    worker.start()
    local_server.wait(1)
    assert operator.get(f"/api/runs/{run_id}").json()["status"] == "running"
    began = time.monotonic()
    answer = operator.post(f"/api/runs/{run_id}/cancel")
    assert answer.status_code == 202 and answer.json()["id"] == run_id
    worker.join(timeout=5)
    assert time.monotonic() - began < 1.5
    run = operator.get(f"/api/runs/{run_id}").json()
    assert (run["status"], run["error"], run["metrics"]) == ("cancelled", None, None)
    assert operator.post(f"/api/runs/{run_id}/cancel").status_code == 200
