"""What the API refuses, and how it says so (contract: signals §1, §4.3, §4.6, §4.7, §9.3)."""

import os

import pytest

from loadtest.signals.running.models import Scenario
from tests.factories import make_team
from tests.loadtest.signals.service.conftest import BASE, FLAT, entry
from tests.support.client import ApiClient

pytestmark = pytest.mark.django_db
NAMED = {"version": 2, "kind": "runnable", "scenario_name": "night", "scenarios": [entry(labels=None)]}


def refused(client, body, status, kind="application/yaml"):
    raw = body if isinstance(body, bytes) else None
    answer = (
        client.generic("POST", f"{BASE}/scenarios", raw, kind)
        if raw is not None
        else client.post(f"{BASE}/scenarios", body)
    )
    assert answer.status_code == status, answer.content
    assert not Scenario.objects.exists()
    return answer.json()


@pytest.mark.parametrize(
    ("headers", "detail"),
    [
        ({}, "missing or malformed Authorization header"),
        ({"Authorization": "Basic eDp5"}, "missing or malformed Authorization header"),
        ({"Authorization": "Bearer"}, "missing or malformed Authorization header"),
        ({"Authorization": "bearer nope"}, "invalid API key"),
        ({"X-API-Key": "nope"}, "invalid API key"),
    ],
)
def test_without_a_good_key(db, headers, detail):
    answer = ApiClient(headers=headers).get(f"{BASE}/scenarios")
    assert answer.status_code == 401 and answer.json() == {"error": "unauthorized", "detail": detail}
    assert ApiClient(headers=headers).get(f"{BASE}/health/").json() == {"status": "ok"}


def test_roles(api, operator, start):
    assert ApiClient().get(f"{BASE}/health").json() == {"status": "ok"}
    one, viewer = start(), api("VIEWER")
    for path in ("scenarios", f"scenarios/{one}", f"scenarios/{one}/stats", "scenarios/metrics", "metrics"):
        assert viewer.get(f"{BASE}/{path}").status_code == 200, path
    for answer in (
        viewer.post(f"{BASE}/scenarios", FLAT),
        viewer.delete(f"{BASE}/scenarios/{one}"),
        viewer.post(f"{BASE}/events", {}),
    ):
        assert answer.status_code == 403 and answer.json()["error"] == "forbidden"


def test_teams(api, operator):
    team = make_team()
    member, other = api("VIEWER", teams={team: "OPERATOR"}), api("OPERATOR")
    assert member.post(f"{BASE}/scenarios", FLAT).status_code == 403
    made = member.post(f"{BASE}/scenarios?team={team.pk}", FLAT)
    assert made.status_code == 201
    one = f"{BASE}/scenarios/{made.json()['id']}"
    assert other.get(one).status_code == other.delete(one).status_code == other.get(one + "/stats").status_code == 404
    assert other.get(f"{BASE}/scenarios").json() == {"scenarios": []}
    assert other.post(f"{BASE}/scenarios?team={team.pk}", FLAT).status_code == 400
    assert member.delete(one).status_code == 200


@pytest.mark.parametrize(
    "path", ["scenarios", "scenarios/x", "scenarios/x/stats", "scenarios/x/metrics", "events", "metrics"]
)
def test_other_methods(operator, path):
    answer = operator.patch(f"{BASE}/{path}/", {})
    assert answer.status_code == 405 and set(answer.json()) == {"error", "detail"}


@pytest.mark.parametrize(
    "body", [b"", b"\xff\xfe", b"name: [", b"- 1", b"name: a\nname: b", b"scenarios: []", b"rate: 5"]
)
def test_no_shape(operator, body):
    assert refused(operator, body, 400)["error"] == "bad_request"


def test_yaml_is_no_json(operator):
    assert refused(operator, b"name: a", 400, "application/json")["error"] == "bad_request"


def test_a_body_that_is_too_large(operator, settings):
    settings.SIGNALS_MAX_BODY_BYTES = 2000
    assert refused(operator, b"#" * 2001, 413)["error"] == "payload_too_large"


def test_one_bad_entry_starts_nothing(operator):
    told = refused(operator, {"scenarios": [entry(), entry(name="other", rate=0)]}, 422)
    assert told["error"] == "unprocessable_entity" and "other" in told["detail"] and "rate" in told["detail"]


@pytest.mark.parametrize(
    ("sink", "word"),
    [
        ({"type": "kafka", "brokers": "a:1"}, "kafka"),
        ({"type": "otlp_grpc", "endpoint": "http://a"}, "otlp_grpc"),
        ({"type": "file", "path": "/etc/passwd"}, "path"),
        ({"type": "file", "path": "../../x"}, "path"),
        ({"type": "http_push", "url": "http://169.254.169.254/latest"}, "metadata"),
        ({"type": "udp", "address": "224.0.0.1:9"}, "multicast"),
        ({"type": "platform", "instance": "nobody"}, "nobody"),
    ],
)
def test_sinks_that_are_refused(operator, sink, word):
    assert word in refused(operator, entry(sink=sink), 422)["detail"]


def test_private_targets(operator, settings):
    settings.SIGNALS_ALLOW_PRIVATE_TARGETS, settings.OUTBOUND_ALLOW_LOOPBACK = False, False
    for host in ("127.0.0.1", "10.1.2.3", "[::1]"):
        refused(operator, entry(sink={"type": "tcp", "address": f"{host}:9"}), 422)
    settings.SIGNALS_ALLOW_PRIVATE_TARGETS = True
    answer = operator.post(f"{BASE}/scenarios", entry(sink={"type": "tcp", "address": "127.0.0.1:9"}))
    assert answer.status_code == 201 and "127.0.0.1" in answer.json()["warnings"][0]


def test_a_link_that_leads_out_of_the_folder(operator):
    from loadtest.signals.hosting.child import folder

    folder().mkdir(parents=True, exist_ok=True)
    (folder() / "out").unlink(missing_ok=True)
    os.symlink("/tmp", folder() / "out")
    refused(operator, entry(sink={"type": "file", "path": "out/x"}), 422)


def test_a_name_runs_once(operator):
    first = operator.post(f"{BASE}/scenarios", NAMED).json()
    answer = operator.post(f"{BASE}/scenarios", NAMED)
    assert answer.status_code == 409
    told = answer.json()
    assert told["error"] == "scenario_name 'night' is already running" and set(told) == {
        "error",
        "conflicting_scenarios",
        "hint",
    }
    assert told["conflicting_scenarios"] == [{"id": first["id"], "name": "lift_speed", "state": "pending"}]
    operator.delete(f"{BASE}/scenarios/{first['id']}")
    assert operator.post(f"{BASE}/scenarios", NAMED).status_code == 201


def test_capacity(operator, settings, start):
    settings.SIGNALS_MAX_SCENARIOS = 2
    start()
    answer = operator.post(f"{BASE}/scenarios", {"scenarios": [entry(), entry(name="other")]})
    assert answer.status_code == 429
    told = answer.json()
    assert told["error"] == "capacity_exceeded" and set(told) == {"error", "detail", "by_state"}
    assert told["by_state"] == {"pending": 1, "running": 0, "paused": 0, "held": 0, "unresolved": 0, "finished": 0}
    start()
    settings.SIGNALS_MAX_SCENARIOS = 0
    start()


@pytest.mark.parametrize("id", ["x", "%00", "x" * 300, "00000000-0000-4000-8000-000000000000"])
def test_unknown_ids(operator, id):
    for path in ("", "/stats", "/metrics"):
        assert operator.get(f"{BASE}/scenarios/{id}{path}").status_code == 404
    assert operator.delete(f"{BASE}/scenarios/{id}?purge=maybe").status_code == 400


def test_the_servers_environment_stays_its_own(operator, monkeypatch):
    monkeypatch.setenv("PHAROS_HUSH", "hush")
    monkeypatch.setenv("LOKI_URL", "http://127.0.0.1:9")
    yaml = b"name: a\nrate: 1\ngenerator: {type: constant, value: 1}\nlabels: {x: '${%s}'}\n"
    assert "hush" not in str(refused(operator, yaml % b"PHAROS_HUSH", 400))
    made = operator.generic("POST", f"{BASE}/scenarios", yaml % b"LOKI_URL", "application/yaml")
    assert made.status_code == 201 and Scenario.objects.get().labels == {"x": "http://127.0.0.1:9"}
