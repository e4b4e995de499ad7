"""Targets that fail, bodies that cannot be read, callers who may not (contract: load testing §9)."""

import socket
import time
from threading import Thread

import pytest

from loadtest.runs.models import Run
from loadtest.sending import places
from tests.support.listener import answer, drip, flood, listening, sending


def outcome(got):
    assert (got["statusCode"], got["status"], got["statusText"], got["headers"], got["body"]) == (0, 0, "Error", {}, "")
    assert min(got["timing"].values()) >= 0
    run = Run.objects.get(pk=got["runId"])
    assert (run.status, run.message) == ("failed", got["errorMessage"])
    return got["errorCode"]


def test_a_refused_port(send):
    with socket.create_server(("127.0.0.1", 0)) as server:
        port = server.getsockname()[1]
    got = send(url=f"http://127.0.0.1:{port}/")
    assert outcome(got) == "CONNECTION_FAILED"
    assert (got["timing"]["firstByte"], got["rawRequest"]) == (0, "")
    assert got["errorMessage"] == f"127.0.0.1 refused the connection on port {port}."


def test_an_unknown_name(send):
    assert outcome(send(url="http://name.invalid/")) == "DNS_ERROR"


@pytest.mark.parametrize(
    "serve", [lambda c, _: c.recv(1), drip(b"HTTP/1.1 200 OK\r\nContent-Length: 99999\r\n\r\n", b"a")]
)
def test_a_slow_target_ends_in_time(send, serve):
    with listening(serve) as server:
        began = time.monotonic()
        got = send(url=server.url(), timeout=500)
        assert time.monotonic() - began < 1.5
    assert outcome(got) == "TIMEOUT"
    assert 495 <= got["timing"]["total"] < 560
    assert got["timing"]["wire"] == pytest.approx(got["timing"]["total"], abs=20)
    assert got["rawRequest"].startswith("GET / HTTP/1.1\r\n")


@pytest.mark.parametrize(
    ("serve", "code"),
    [
        (lambda connection, _: connection.close(), "CONNECTION_FAILED"),
        (sending(b"HTTP/1.1 200 OK\r\nContent-Length: 50\r\n\r\ncut"), "INTERNAL_ERROR"),
        (sending(b"no HTTP at all\r\n\r\n"), "INTERNAL_ERROR"),
        (answer(b"no gzip", "Content-Encoding: gzip"), "INTERNAL_ERROR"),
        (flood(b"HTTP/1.1 200 OK\r\n", b"X-Many: aaaaaaaaaaaaaaaa\r\n"), "INTERNAL_ERROR"),
    ],
    ids=["closed", "cut", "no HTTP", "bad coding", "endless headers"],
)
def test_broken_answers(send, serve, code):
    with listening(serve) as server:
        assert outcome(send(url=server.url())) == code


def test_a_body_without_end_is_left(send):
    with listening(flood(b"HTTP/1.1 200 OK\r\n\r\n", b"a" * 1024)) as server:
        got = send(url=server.url())
    assert outcome(got) == "INTERNAL_ERROR"
    assert "33554432 bytes" in got["errorMessage"]


def test_a_target_without_tls(send):
    def speak():
        connection, _ = server.accept()
        with connection:
            connection.sendall(b"220 this is no TLS\r\n" * 10)
            connection.recv(1024)

    with socket.create_server(("127.0.0.1", 0)) as server:
        Thread(target=speak, daemon=True).start()
        assert outcome(send(url=f"https://127.0.0.1:{server.getsockname()[1]}/")) == "SSL_ERROR"


@pytest.mark.parametrize("url", ["ftp://x/", "no url", "http://", "http://a b/", "http://127.1/", "{{nowhere}}/x"])
def test_urls_that_lead_nowhere(send, url):
    got = send(url=url)
    assert outcome(got) == "INVALID_URL"
    assert got["errorMessage"]


def test_forbidden_targets(send, settings):
    settings.OUTBOUND_ALLOW_LOOPBACK = False
    got = send()
    assert outcome(got) == "CONNECTION_FAILED"
    assert "not allowed as a target" in got["errorMessage"]
    assert outcome(send(url="http://169.254.169.254/latest")) == "CONNECTION_FAILED"


def test_a_redirect_cannot_lead_where_the_url_may_not(send, local_server):
    local_server.redirect("/away", "http://169.254.169.254/")
    assert outcome(send("/away")) == "CONNECTION_FAILED"


def test_head_with_a_body(send):
    assert outcome(send(method="HEAD", body="x")) == "INVALID_METHOD"


BAD = [
    ({"method": ...}, "Missing 'method' field"),
    ({"method": ""}, "Missing 'method' field"),
    ({"method": 5}, "'method'"),
    ({"method": "FETCH"}, "Invalid HTTP method"),
    ({"url": ...}, "Missing 'url' field"),
    ({"url": None}, "Missing 'url' field"),
    ({"url": ["x"]}, "'url'"),
    ({"headers": "x"}, "'headers'"),
    ({"headers": [{"value": "x", "key": 1}]}, "'headers[0]'"),
    ({"headers": {"X": ["a"]}}, "'headers.X'"),
    ({"params": 5}, "'params'"),
    ({"body": 5}, "'body'"),
    ({"body": {"type": "tape"}}, "Unknown body type"),
    ({"body": {"content": "x"}}, "'body'"),
    ({"auth": "x"}, "'auth'"),
    ({"auth": {"mode": "digest"}}, "Unsupported auth mode"),
    ({"timeout": 0}, "'timeout'"),
    ({"timeout": 86400001}, "'timeout'"),
    ({"timeout": "5"}, "'timeout'"),
    ({"timeout": 1.5}, "'timeout'"),
    ({"maxRedirects": -1}, "'maxRedirects'"),
    ({"followRedirects": "yes"}, "'followRedirects'"),
    ({"verifySSL": 1}, "'verifySSL'"),
    ({"requestId": 5}, "'requestId'"),
    ({"requestId": "a\0"}, "'requestId'"),
    ({"environmentId": "\ud800"}, "'environmentId'"),
    ({"preRequestScript": {}}, "'preRequestScript'"),
    ({"postRequestScript": "x" * 300_000}, "'postRequestScript'"),
    ({"headers": {"X": "a\r\nY: b"}}, "Header 'X' contains a line break"),
    ({"headers": {"X": "☃"}}, "X"),
]


@pytest.mark.parametrize(("body", "text"), BAD)
def test_bodies_that_cannot_be_read(refused, local_server, body, text):
    assert text in refused(**body)
    assert not local_server.requests
    assert not Run.objects.filter(status="running").exists()


def test_a_line_break_out_of_a_variable_is_not_sent(refused, make, local_server):
    environment = make("environments", name="E", variables={"v": "a\r\nX-Evil: 1"})
    assert "contains a line break" in refused(headers={"X": "{{v}}"}, environmentId=environment["id"])
    assert not local_server.requests
    assert [run.status for run in Run.objects.all()] == ["failed"]


def test_broken_json(operator):
    for text in ("{", "[1]", '"x"'):
        reply = operator.post("/api/loadtest/request", text)
        assert reply.status_code == 400
        assert list(reply.json()) == ["error"]
    assert operator.post("/api/loadtest/request", "{").json()["error"].startswith("Invalid JSON")


def test_who_may_send(api, local_server):
    body = {"method": "GET", "url": local_server.url}
    for role, status in ((None, 401), ("VIEWER", 403), ("OPERATOR", 200)):
        assert api(role).post("/api/loadtest/request", body).status_code == status
    assert len(local_server.requests) == 1
    assert api("OPERATOR").get("/api/loadtest/request").status_code == 405


def test_threads_are_left_for_others(operator, local_server, monkeypatch):
    monkeypatch.setattr(places, "WAIT_S", 0.05)
    held = []
    while places._places.acquire(blocking=False):
        held.append(True)
    try:
        reply = operator.post("/api/loadtest/request", {"method": "GET", "url": local_server.url})
        assert (reply.status_code, list(reply.json())) == (429, ["error"])
        assert not Run.objects.exists()
    finally:
        for _ in held:
            places._places.release()


def test_the_default_timeout_is_a_setting(send, api):
    api("ADMIN").post("/api/loadtest/config", {"defaultTimeout": 1000})
    with listening(lambda connection, _: connection.recv(1)) as server:
        got = send(url=server.url())
    assert (got["errorCode"], 990 <= got["timing"]["total"] < 1100) == ("TIMEOUT", True)
