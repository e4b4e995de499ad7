"""POST /api/v1/instances/<id>/heartbeats: reports over HTTP, answered when they are on disk."""

import json
import threading

import pytest
from asgiref.sync import async_to_sync
from asgiref.testing import ApplicationCommunicator

from config.timeseries import writer as writers
from fleet.agents import ingest
from fleet.instances.models import Inventory
from fleet.instances.services import enroll
from fleet.metrics import services as metrics
from fleet.metrics.models import StoredSample
from security.keys.services import revoke
from tests.factories import make_key, make_team
from tests.fleet.conftest import make_instance

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.contract]
BODY = {"uptime": 60, "cpuPercent": 12.5, "memUsed": 1, "memTotal": 2}


def path(instance_id):
    return f"/api/v1/instances/{instance_id}/heartbeats"


@pytest.fixture(params=["asgi", "wsgi"])
def post(request, api):
    """`post(id, body, key)` → (status, body) through either of the two doors."""

    def over_wsgi(instance_id, body, key=None):
        headers = {"Authorization": f"Bearer {key}"} if key else {}
        answer = api(role=None).post(path(instance_id), body, headers=headers)
        return answer.status_code, answer.json()

    @async_to_sync
    async def over_asgi(instance_id, body, key=None):
        from config.asgi import http

        raw = body if isinstance(body, bytes) else json.dumps(body).encode()
        headers = [(b"content-type", b"application/json")]
        headers += [(b"authorization", f"Bearer {key}".encode())] if key else []
        scope = {"type": "http", "method": "POST", "path": path(instance_id), "headers": headers, "query_string": b""}
        client = ApplicationCommunicator(http, scope)
        await client.send_input({"type": "http.request", "body": raw})
        start = await client.receive_output(10)
        answer = await client.receive_output(10)
        await client.wait(5)
        return start["status"], json.loads(answer["body"])

    return over_wsgi if request.param == "wsgi" else over_asgi


@pytest.fixture
def operator():
    return make_key(role="OPERATOR")[1]


@pytest.mark.parametrize(
    "body",
    [
        BODY,
        {"heartbeat": {"uptime_seconds": 60}, "metrics": {"cpu": {"usage_percent": 12.5}, "memory": {"used_bytes": 1}}},
        {"cpu": {"usage_percent": 12.5}, "uptime_seconds": 60, "timestamp": "2026-01-01T00:00:00+02:00"},
    ],
)
def test_an_answer_means_that_it_is_stored(post, operator, instance, body):
    assert post(instance.pk, body, operator) == (200, {"accepted": True})
    assert StoredSample.objects.filter(instance_id=instance.pk).count() == 1
    instance.refresh_from_db()
    assert (instance.online, instance.uptime_s, instance.last_sample["cpu_pct"]) == (True, 60, 12.5)


def test_processes_and_facts_come_along(post, operator, instance):
    processes = [{"pid": 1, "name": "init", "cpu_percent": 0.5}]
    body = {"heartbeat": {"uptime": 5, "agentVersion": "3"}, "processes": processes}
    assert post(instance.pk, body, operator)[0] == 200
    instance.refresh_from_db()
    assert instance.agent_version == "3"
    assert Inventory.objects.get().processes[0]["name"] == "init"


def test_first_report_of_an_enrolled_instance(post):
    instance, key = enroll(name="fresh")
    assert post(instance.pk, BODY, key)[0] == 200
    instance.refresh_from_db()
    assert (instance.status, instance.online) == ("RUNNING", True)
    assert post(make_instance(name="other").pk, BODY, key)[0] == 404


def test_who_may_report(post, instance):
    hidden = make_instance(name="hidden", team=make_team())
    for role, target, expected in (
        (None, instance, 401),
        ("VIEWER", instance, 403),
        ("DEVELOPER", instance, 403),
        ("OPERATOR", hidden, 404),
        ("ADMIN", hidden, 200),
    ):
        key = make_key(role=role)[1] if role else None
        status, body = post(target.pk, BODY, key)
        assert (status, body.get("statusCode", 200)) == (expected, expected), role
    status, body = post(instance.pk, BODY, "sk-" + "0" * 48)
    assert (status, body["message"]) == (401, "Invalid API key")


def test_a_revoked_key_is_refused_at_latest_after_two_seconds(post, instance, monkeypatch):
    row, key = make_key(role="OPERATOR")
    assert post(instance.pk, BODY, key)[0] == 200
    revoke(key=row)
    later = ingest.time.monotonic() + ingest.KEY_KEPT_S
    monkeypatch.setattr(ingest.time, "monotonic", lambda: later)
    assert post(instance.pk, BODY, key)[0] == 401


@pytest.mark.parametrize(
    ("body", "status"),
    [
        (b"{", 400),
        (b"", 400),
        (b"\xff", 400),
        (b"[]", 422),
        (b"null", 422),
        (b"{}", 422),
        (b'{"weather": 1}', 422),
        (b'{"cpuPercent": "hot"}', 422),
        (b'{"cpuPercent": 101}', 422),
        (b'{"memUsed": -1}', 422),
        (b'{"metrics": {}}', 422),
        (b'{"metrics": 5}', 422),
        (b'{"uptime": 1, "processes": [{"pid": 1}]}', 422),
        (b'{"heartbeat": {"uptime": 1}, "metrics": {"cpuPercent": 500}}', 422),
        (b'{"uptime": ' + b"[" * 100_000, 422),
        (b'{"instance_id": "another", "uptime": 1}', 403),
        (b'{"x": "' + b"y" * (1 << 20) + b'"}', 413),
    ],
)
def test_bad_reports_are_refused_whole(post, operator, instance, body, status):
    answered, error = post(instance.pk, body, operator)
    assert (answered, error["statusCode"]) == (status, status), error
    assert error["message"]
    instance.refresh_from_db()
    assert instance.last_seen_at is None
    assert not StoredSample.objects.exists()


def test_impossible_ids(post, operator):
    assert post("unknown", BODY, operator)[0] == 404
    assert post("x" * 129, BODY, operator)[0] == 400


def test_byte_budget(post, operator, instance, settings):
    settings.RATE_INGEST_BYTES = 150
    answers = [post(instance.pk, BODY, operator) for _ in range(3)]
    assert [status for status, _ in answers] == [200, 200, 429]
    assert 0 < answers[-1][1]["retryAfter"] <= 60


def test_other_methods(api, instance):
    assert api().get(path(instance.pk)).status_code == 405


def test_nothing_is_acknowledged_that_could_not_be_written(post, operator, instance, monkeypatch):
    def fail(beats):
        raise writers.OperationalError("the disk is full")

    monkeypatch.setattr(metrics.writer, "_write", fail)
    monkeypatch.setattr(metrics.writer, "_patience_s", 0.1)
    status, body = post(instance.pk, BODY, operator)
    assert (status, body["error"]) == (503, "Service Unavailable")
    assert not StoredSample.objects.exists()


def test_many_at_once_share_commits(api, operator, instance):
    before = writers.commits.labels("samples")._value.get()
    codes = []

    def report(number):
        answer = api(role=None).post(
            path(instance.pk), BODY | {"ts": 1e12 + number}, headers={"Authorization": f"Bearer {operator}"}
        )
        codes.append(answer.status_code)

    threads = [threading.Thread(target=report, args=(number,)) for number in range(20)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(20)
    assert codes == [200] * 20
    assert writers.commits.labels("samples")._value.get() - before < 20
