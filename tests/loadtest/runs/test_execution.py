"""A run from its request to its report (contract: load testing §10, §11.3, §14)."""

import socket

import pytest

from tests.loadtest.engine.conftest import Server, answer
from tests.loadtest.runs.conftest import BASE, ticks_of

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.contract]


def report_of(client, run):
    return client.get(f"{BASE}/run/{run.pk}/report").json()


def test_iterations(make, operator, target):
    run = make(target.url, iterations=200, concurrency=4)
    assert (run.status, run.message, run.plan) == ("completed", "", "")
    assert len(target.requests) == 200 and target.most_busy <= 4
    report = report_of(operator, run)
    assert report["summary"]["totalRequests"] == report["summary"]["successfulRequests"] == 200
    assert report["statusCodes"] == {"200": 200}
    assert report["metadata"]["configuration"] == {"iterations": 200, "concurrency": 4}
    assert report["metadata"]["requestUrl"] == target.url
    assert "rateControl" not in report and "testValidation" not in report and "slowRequests" in report
    ticks = ticks_of(run)
    assert len(ticks) >= 2
    assert [tick.n for tick in run.ticks.order_by("n")] == list(range(len(ticks)))
    assert ticks[0]["totalRequests"] == 0 and ticks[-1]["totalRequests"] == 200
    for tick, section, field in (
        ("latencyP50Ms", "latency", "p50"), ("latencyP95Ms", "latency", "p95"), ("avgLatencyMs", "latency", "avg"),
        ("latencyP99Ms", "latency", "p99"), ("bytesSent", "summary", "bytesSent"),
        ("bytesReceived", "summary", "bytesReceived"), ("requestsSent", "summary", "requestsSent"),
    ):  # fmt: skip
        assert ticks[-1][tick] == report[section][field], tick
    assert ticks[-1]["statusCodes"] == report["statusCodes"] and ticks[-1]["runId"] == run.pk
    assert run.figures["counters"]["sent"] == 200


def test_a_fixed_rate_keeps_its_promise(make, operator, target):
    run = make(target.url, mode="constant_rps", targetRps=200, duration="500ms")
    report = report_of(operator, run)
    assert report["summary"]["totalRequests"] + report["summary"]["droppedRequests"] == 100
    assert report["rateControl"]["targetRps"] == 200
    assert report["metadata"]["configuration"] == {"mode": "constant_rps", "duration": "500ms", "targetRps": 200}


def test_errors_count_the_same_live_and_stored(make, operator):
    server = Server(answer(b"HTTP/1.1 500 No\r\nContent-Length: 0\r\n\r\n"))
    run = make(server.url, iterations=20, concurrency=2)
    server.close()
    report = report_of(operator, run)
    assert run.status == "completed"
    assert report["summary"]["errorRate"] == ticks_of(run)[-1]["errorRate"] == 100
    assert report["errors"] == report["errors"] | {"total": 20, "types": {}, "byStatusCode": {"500": 20}}
    assert len(report["results"]) == report["errors"]["withDetails"] == 20


def test_a_port_where_nobody_listens(make, operator):
    with socket.create_server(("127.0.0.1", 0)) as closed:
        port = closed.getsockname()[1]
    report = report_of(operator, make(f"http://127.0.0.1:{port}/", iterations=5, concurrency=1))
    assert report["errors"]["types"] == {"connection_failed": 5} and report["statusCodes"] == {"0": 5}
    assert "timingBreakdown" not in report and "slowRequests" not in report


def test_a_name_that_does_not_resolve(make, operator):
    run = make("http://nowhere.invalid/", iterations=5, concurrency=1)
    report = report_of(operator, run)
    assert report["errors"]["types"] == {"dns_failed": 5}
    assert "nowhere.invalid" in report["results"][0]["error"]


@pytest.mark.parametrize(
    ("url", "part"),
    [
        ("http://{{host}}/", "{{host}}"),
        ("ftp://example.org/", "http"),
        ("http://10.0.0.1/", "private network"),
        ("http://169.254.169.254/latest", "metadata"),
    ],
)
def test_a_target_that_cannot_be_one_fails_the_run(make, operator, url, part):
    run = make(url, iterations=5)
    assert run.status == "failed" and part in run.message
    report = report_of(operator, run)
    assert report["summary"]["totalRequests"] == 0 and report["message"] == run.message
    assert operator.get(f"{BASE}/run/{run.pk}").json()["message"] == run.message


def test_redirects_are_followed_unless_told_otherwise(make, operator):
    def script(conn, request, number):
        found = b"/there" in request.split(b"\r\n")[0]
        conn.sendall(
            b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok"
            if found
            else b"HTTP/1.1 302 Found\r\nLocation: /there\r\nContent-Length: 0\r\n\r\n"
        )
        return True

    server = Server(script)
    assert report_of(operator, make(server.url, iterations=3))["statusCodes"] == {"200": 3}
    followed = make(server.url, iterations=3, followRedirects=False)
    assert report_of(operator, followed)["statusCodes"] == {"302": 3}
    server.close()


def test_dynamic_names_are_drawn_for_each_request(make, target):
    make(f"{target.url}?id={{{{$guid}}}}", iterations=10, concurrency=1)
    assert len({request.split(b" ")[1] for request in target.requests}) == 10
