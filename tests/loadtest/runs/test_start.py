"""What POST /run accepts and refuses (contract: load testing §10.1-10.3). A refused request leaves no trace."""

import json

import pytest

from loadtest.runs import order
from loadtest.runs.models import Run
from loadtest.runs.state import opened_plan
from tests.loadtest.runs.conftest import BASE

pytestmark = [pytest.mark.django_db, pytest.mark.contract]
URL = "http://127.0.0.1:9/"
REQUEST = {"method": "GET", "url": URL}
RPS = REQUEST | {"mode": "constant_rps", "targetRps": 10}


@pytest.mark.parametrize(
    ("body", "text"),
    [
        ({}, "Missing required fields: method, url"),
        ({"method": "GET"}, "Missing required fields: method, url"),
        ({"method": "GET", "url": None}, "Missing required fields: method, url"),
        (REQUEST | {"method": "FETCH", "iterations": 1}, "Invalid HTTP method"),
        (REQUEST, "Must specify either 'mode' with 'duration' or 'iterations'"),
        (REQUEST | {"mode": "burst"}, "'mode' must be one of"),
        (REQUEST | {"mode": 7}, "'mode' must be a string"),
        (REQUEST | {"mode": "constant_rps"}, "Missing required field: targetRps"),
        (RPS | {"targetRps": 0}, "'targetRps' must be greater than 0"),
        (RPS | {"targetRps": "10"}, "'targetRps' must be a number"),
        (RPS | {"targetRps": 1_000_001}, "'targetRps' must be at most 1000000"),
        (RPS | {"duration": "soon"}, "'duration' must be a duration"),
        (RPS | {"duration": True}, "'duration' must be a duration"),
        (RPS | {"duration": "0s"}, "'duration' must be longer than 0"),
        (RPS | {"duration": "25h"}, "'duration' must be longer than 0 and at most 24h"),
        (RPS | {"maxInFlight": 0}, "'maxInFlight' must be at least 1"),
        (REQUEST | {"duration": "1s", "concurrency": 0}, "'concurrency' must be at least 1"),
        (REQUEST | {"duration": "1s", "concurrency": 10_001}, "'concurrency' must be at most 10000"),
        (REQUEST | {"duration": "1s", "concurrency": 1.5}, "'concurrency' must be a whole number"),
        (REQUEST | {"mode": "ramp_up", "rampUpDuration": "-1s"}, "'rampUpDuration' must be a duration"),
        (REQUEST | {"mode": "ramp_up", "startConcurrency": -1}, "'startConcurrency' must be at least 0"),
        (REQUEST | {"mode": "iterations", "iterations": 0}, "'iterations' must be at least 1"),
        (REQUEST | {"iterations": 10**9 + 1}, "'iterations' must be at most 1000000000"),
        (REQUEST | {"iterations": 1, "timeout": 0}, "'timeout' must be at least 1"),
        (REQUEST | {"iterations": 1, "timeout": "30s"}, "'timeout' must be a whole number"),
        (REQUEST | {"iterations": 1, "followRedirects": "yes"}, "'followRedirects' must be true or false"),
        (REQUEST | {"iterations": 1, "headers": "X: 1"}, "'headers'"),
        (REQUEST | {"iterations": 1, "headers": {"X": "a\r\nEvil: 1"}}, "line break"),
        (REQUEST | {"iterations": 1, "auth": []}, "'auth' must be an object"),
        (REQUEST | {"iterations": 1, "auth": {"mode": "digest"}}, "Unsupported auth mode"),
        (REQUEST | {"iterations": 1, "tests": "x" * (256 * 1024 + 1)}, "'tests' must be at most"),
        (REQUEST | {"iterations": 1, "success_sample_rate": 0}, "'success_sample_rate' must be at least 1"),
        (REQUEST | {"iterations": 1, "thresholds": {"p95": 1}}, "'thresholds.p95' is unknown"),
        (REQUEST | {"iterations": 1, "thresholds": {"latencyP95Ms": "1"}}, "'thresholds.latencyP95Ms' must be"),
        (REQUEST | {"iterations": 1, "shards": 0}, "'shards' must be at least 1"),
        (REQUEST | {"iterations": 10**400}, "'iterations' must be at most"),
        (RPS | {"duration": 10**400}, "at most 24h"),
        (REQUEST | {"iterations": 1, "thresholds": {"latencyP95Ms": 10**400}}, "must be a number from"),
    ],
)  # fmt: skip
def test_refused(operator, sent, body, text):
    answer = operator.post(f"{BASE}/run", body)
    assert answer.status_code == 400, answer.content
    assert text in answer.json()["error"]
    assert not Run.objects.exists() and not sent


@pytest.mark.parametrize(("raw", "text"), [("{", "Invalid JSON"), ("[1]", "must be a JSON object")])
def test_bodies_that_are_none(operator, raw, text):
    answer = operator.generic("POST", f"{BASE}/run", raw, "text/plain")
    assert answer.status_code == 400 and answer.json()["error"].startswith(("Invalid JSON", "The body"))
    assert text in answer.json()["error"]


@pytest.mark.parametrize(
    ("fields", "mode"),
    [
        ({"iterations": 5, "targetRps": 5}, "iterations"),
        ({"iterations": 0, "targetRps": 5}, "constant_rps"),
        ({"rps": 5}, "constant_rps"),
        ({"duration": "1s"}, "constant_concurrency"),
        ({"mode": "constant", "targetRps": 5}, "constant_rps"),
        ({"mode": "constant", "concurrency": 5}, "constant_concurrency"),
        # What the mode does not use is not looked at; null counts as absent.
        ({"mode": "constant_rps", "targetRps": 5, "iterations": 0, "concurrency": "many"}, "constant_rps"),
        ({"mode": "iterations", "targetRps": -1, "duration": "x", "iterations": None}, "iterations"),
    ],
)
def test_modes(operator, sent, django_capture_on_commit_callbacks, fields, mode):
    with django_capture_on_commit_callbacks(execute=True):
        answer = operator.post(f"{BASE}/run", REQUEST | fields)
    body = answer.json()
    assert (answer.status_code, body["status"], body["message"]) == (200, "running", "Load test started")
    run = operator.get(f"{BASE}/run/{body['runId']}").json()
    assert (run["status"], run["type"], run["summary"]["mode"]) == ("pending", "load", mode)
    assert sent == [body["runId"]]
    assert operator.get(f"{BASE}/run/{body['runId']}/report").json()["summary"]["totalRequests"] == 0


@pytest.mark.parametrize(
    ("value", "seconds"),
    [("500ms", 0.5), ("2m", 120), ("1.5h", 5400), ("30", 30), (30, 30), (0.25, 0.25), (" 10 s ", 10)],
)
def test_durations(value, seconds):
    assert order.read(RPS | {"duration": value}).duration_s == pytest.approx(seconds)


def test_a_ramp_may_be_a_jump():
    assert order.read(REQUEST | {"mode": "ramp_up", "rampUpDuration": 0}).ramp_s == 0


def test_what_is_kept_of_the_body(operator, sent):
    operator.post(f"{BASE}/globals", {"variables": {"pin": {"value": "hush-hush", "enabled": True, "secret": True}}})
    body = REQUEST | {
        "url": "http://user:pw12345@127.0.0.1:9/?api_key=k12345&page=2",
        "iterations": 3,
        "comment": "hush-hush, nobody knows",
        "headers": {"Authorization": "Bearer t0ken", "X-Api-Key": "k2", "Accept": "text/html", "Cookie": "{{pin}}"},
        "auth": {"mode": "basic", "username": "ann", "password": "pw99"},
        "extra": {"kept": True},
    }
    answer = operator.post(f"{BASE}/run", body)
    assert answer.status_code == 200, answer.content
    row = Run.objects.get()
    shown = operator.get(f"{BASE}/run/{row.pk}")
    for secret in ("pw12345", "k12345", "t0ken", "k2", "pw99", "hush-hush"):
        assert secret not in shown.content.decode().replace(row.pk, ""), secret
    snapshot = json.loads(shown.json()["configSnapshot"])
    assert snapshot == shown.json()["config"]
    assert snapshot["extra"] == {"kept": True} and snapshot["headers"]["Accept"] == "text/html"
    assert snapshot["headers"]["Cookie"] == "{{pin}}" and snapshot["auth"]["username"] == "ann"
    assert "page=2" in snapshot["url"]
    assert "hush-hush" not in row.plan and "t0ken" not in row.plan
    assert "127.0.0.1" in opened_plan(row)


def test_a_large_body_is_kept_in_part(operator, sent):
    body = REQUEST | {"method": "POST", "iterations": 3, "body": {"type": "text", "content": "x" * 400_000}}
    assert operator.post(f"{BASE}/run", body).status_code == 200
    shown = operator.get(f"{BASE}/runs").json()[0]
    assert shown["config"]["snapshotTruncated"] is True and shown["config"]["url"] == URL
    assert len(shown["config"]["body"]["content"]) == 64 * 1024
    assert opened_plan(Run.objects.get()).count("eHh4") > 100_000  # what is sent is whole
    many = REQUEST | {"iterations": 3, "extra": ["y" * 1000] * 1000}
    assert operator.post(f"{BASE}/run", many).status_code == 200
    assert "extra" not in operator.get(f"{BASE}/runs").json()[0]["config"]


def test_ceilings_bind_all_but_administrators(api, sent, settings):
    settings.LOAD_CEILINGS = {"rps": 100, "duration_s": 60, "concurrency": 50, "in_flight": 500}
    operator, admin = api("OPERATOR"), api("ADMIN")
    for fields, name in (
        ({"mode": "constant_rps", "targetRps": 101}, "targetRps"),
        ({"mode": "constant_rps", "targetRps": 1, "maxInFlight": 501}, "maxInFlight"),
        ({"duration": "61s", "concurrency": 5}, "duration"),
        ({"duration": "1s", "concurrency": 51}, "concurrency"),
        ({"mode": "ramp_up", "startConcurrency": 51, "concurrency": 1}, "concurrency"),
        ({"iterations": 1, "concurrency": 51}, "concurrency"),
    ):
        answer = operator.post(f"{BASE}/run", REQUEST | fields)
        assert answer.status_code == 403 and f"'{name}' may be at most" in answer.json()["error"]
        assert admin.post(f"{BASE}/run", REQUEST | fields).status_code == 200
    assert operator.post(f"{BASE}/run", REQUEST | {"mode": "constant_rps", "targetRps": 100}).status_code == 200


def test_roles(api, sent):
    assert api("DEVELOPER").post(f"{BASE}/run", REQUEST | {"iterations": 1}).status_code == 403
    assert api("VIEWER").get(f"{BASE}/runs").json() == []


def test_connections_are_bounded(operator, sent, api):
    assert api("ADMIN").post(f"{BASE}/config", {"maxConnections": 100}).status_code == 200
    refused = operator.post(f"{BASE}/run", REQUEST | {"iterations": 1, "concurrency": 101})
    assert refused.status_code == 400 and "maxConnections" in refused.json()["error"]
    run_id = operator.post(f"{BASE}/run", RPS | {"maxInFlight": 1000}).json()["runId"]
    assert Run.objects.get(pk=run_id).connections == 100
    assert "maxConnections" in operator.get(f"{BASE}/run/{run_id}/report").json()["warnings"][0]
