"""Sessions below both mounts (contract: traffic replay §1, §4, §5)."""

import json
from datetime import timedelta

import pytest
from django.utils import timezone

from loadtest.replay.sessions import services
from loadtest.replay.sessions.models import LoadedCase, RuleUse, Session
from loadtest.replay.sessions.tasks import tend
from security.audit.models import AuditEntry
from tests.factories import make_team
from tests.loadtest.replay.conftest import FLAT, STRICT, WIRE, ask, case, put_rules, rule, span, start, stats

pytestmark = pytest.mark.django_db
MOCK = {"action": "mock"}
EMPTY_CASE = {"version": "1", "caseId": "a", "traces": []}


@pytest.mark.parametrize(
    ("base", "headers", "status", "revision", "spec"),
    [
        (FLAT, {}, 201, 1, "v1"),
        (WIRE, {}, 200, 0, "http-control-api@v1"),
        (FLAT, {"X-Softprobe-Profile": "wire"}, 200, 0, "http-control-api@v1"),
        (WIRE, {"X-Softprobe-Profile": "documented"}, 201, 1, "v1"),
        ("/api/replay//v1", {}, 201, 1, "v1"),
        ("http://testserver//v1", {}, 200, 0, "http-control-api@v1"),
    ],
)
def test_profile_of_a_request(operator, base, headers, status, revision, spec):
    answer = operator.post(f"{base}/sessions", {"mode": "replay"}, headers=headers)
    body = answer.json()
    assert (answer.status_code, body["sessionRevision"], body["mode"]) == (status, revision, "replay")
    assert body["sessionId"].startswith("sess_") and len(body["sessionId"]) >= 21
    assert body["createdAt"].endswith("Z") and answer["Content-Type"].startswith("application/json")
    assert operator.get(f"{base}/meta", headers=headers).json()["specVersion"] == spec
    gone = operator.get(f"{base}/sessions/sess_nothing", headers=headers).json()
    expected = "session_not_found" if revision else {"code": "unknown_session", "message": gone["error"]["message"]}
    assert gone["error"] == expected and gone.get("code") == (4 if revision else None)


def test_life_of_a_session(operator):
    session = start(operator, policy=STRICT)
    path = f"{FLAT}/sessions/{session}"
    loaded = operator.post(f"{path}/load-case", case(span("extract", status=200), rules=[rule(host="a.example")]))
    assert loaded.json() == {
        "sessionId": session, "sessionRevision": 2, "traceCount": 1, "caseId": "refund-flow", "ruleCount": 1,
    }  # fmt: skip
    assert put_rules(operator, session, rule(host="b.example"), rule("passthrough"))["ruleCount"] == 2
    operator.post(f"{path}/policy", {"externalHttp": "allow", "team": ["kept"]})
    fixtures = {
        "fixtures": [{"name": "sso_token", "value": "hush-1"}],
        "tokens": ["hush-2"],
        "cookies": [{"name": "sid", "value": "hush-3"}],
    }
    answer = operator.post(f"{path}/fixtures/auth", fixtures)
    assert answer.json() == {"sessionId": session, "sessionRevision": 5, "fixtureCount": 3}
    whole = operator.get(path).json()
    assert whole["sessionRevision"] == 5 and whole["policy"] == {"externalHttp": "allow", "team": ["kept"]}
    assert whole["case"] == {"caseId": "refund-flow", "traceCount": 1, "ruleCount": 1} and whole["ruleCount"] == 2
    assert whole["fixtureNames"] == ["sso_token", "sid"]
    assert whole["stats"] == {"injectedSpans": 0, "extractedSpans": 0, "strictMisses": 0, "lastStrictMiss": None}
    state = operator.get(f"{WIRE}/sessions/{session}/state").json()
    assert state["sessionRevision"] == 4 and state["rules"]["rules"][1]["then"] == {"action": "passthrough"}
    assert state["caseSummary"] == {"caseId": "refund-flow", "traceCount": 1}
    row = Session.objects.get()
    assert "hush" not in row.sealed_fixtures and row.sealed_fixtures
    assert not any("hush" in json.dumps(entry.metadata) for entry in AuditEntry.objects.all())
    assert [entry.action for entry in AuditEntry.objects.filter(resource="replay_session").order_by("at")] == [
        "CREATE", "UPDATE", "UPDATE", "UPDATE", "UPDATE",
    ]  # fmt: skip
    listed = operator.get(f"{FLAT}/sessions").json()["sessions"]
    assert [one["sessionId"] for one in listed] == [session]

    assert operator.post(f"{path}/close", content_type="").json() == {"sessionId": session, "closed": True}
    row.refresh_from_db()
    assert (row.sealed_fixtures, row.policy, row.rules["rules"]) == ("", {}, [])
    assert not LoadedCase.objects.exists()
    for call in (operator.get, lambda place: operator.post(f"{place}/policy", {})):
        assert call(path).json()["error"] == "session_not_found"
    assert operator.get(f"{FLAT}/sessions").json() == {"sessions": []}
    again = operator.post(f"{path}/close")
    assert (again.status_code, again.json()["error"], again.json()["code"]) == (409, "session_closed", 4)
    again = operator.post(f"{WIRE}/sessions/{session}/close")
    assert (again.status_code, again.json()["error"]["code"]) == (404, "unknown_session")


def test_rules_are_replaced_and_kept_verbatim(operator):
    session = start(operator)
    mine = rule({"action": "mock", "response": {"status": 201, "note": ["\u0000", "\ud800", 1.5]}}, id="first")
    put_rules(operator, session, mine)
    assert operator.get(f"{FLAT}/sessions/{session}/state").json()["rules"] == {"version": 1, "rules": [mine]}
    answer = operator.post(f"{FLAT}/sessions/{session}/rules", [rule("passthrough")])
    assert answer.json() == {"sessionId": session, "sessionRevision": 3, "ruleCount": 1}
    assert put_rules(operator, session)["ruleCount"] == 0


@pytest.mark.parametrize(
    ("path", "body", "status", "error"),
    [
        ("", {"mode": "Replay"}, 400, "invalid_mode"),
        ("", {}, 400, "invalid_mode"),
        ("", {"mode": "replay", "policy": {"externalHttp": 1}}, 400, "invalid_body"),
        ("", [], 400, "invalid_body"),
        ("", None, 400, "invalid_body"),
        ("/{id}/rules", {"rules": [{"when": {"hosst": "a"}, "then": MOCK}]}, 422, "rule_validation_failed"),
        ("/{id}/rules", {"version": 2, "rules": []}, 422, "rule_validation_failed"),
        ("/{id}/rules", {}, 422, "rule_validation_failed"),
        ("/{id}/rules", "text", 400, "invalid_body"),
        ("/{id}/rules", None, 400, "invalid_body"),
        ("/{id}/load-case", {"version": "1", "caseId": "a"}, 400, "invalid_body"),
        ("/{id}/load-case", EMPTY_CASE | {"rules": [{}]}, 422, "rule_validation_failed"),
        ("/{id}/policy", {"defaultOnMiss": "explode"}, 400, "invalid_body"),
        ("/{id}/fixtures/auth", {"tokens": ["hush", 7]}, 400, "invalid_body"),
        ("/{id}/close", [], 400, "invalid_body"),
        ("/{id}/explain", {"headers": {"a": 1}}, 400, "invalid_body"),
        ("/{id}/explain", {"entry": "9" * 30}, 400, "invalid_body"),
    ],
)  # fmt: skip
def test_what_is_refused_changes_nothing(operator, path, body, status, error):
    session = start(operator)
    raw = b"" if body is None else json.dumps(body).encode()
    answer = operator.generic("POST", f"{FLAT}/sessions{path.format(id=session)}", raw, "text/plain")
    assert (answer.status_code, answer.json()["error"], answer.json()["code"]) == (status, error, 5), answer.json()
    wire = operator.generic("POST", f"{WIRE}/sessions{path.format(id=session)}", raw, "text/plain").json()["error"]
    assert wire["code"] == ("invalid_request" if status == 400 else error) and wire["message"]
    if status == 422:
        assert wire["details"][0]["path"].startswith("rules") or wire["details"][0]["path"] in ("", "version")
    assert "hush" not in json.dumps(wire)
    assert stats(operator, session)["sessionRevision"] == 1 and Session.objects.count() == 1


@pytest.mark.parametrize(
    "raw", [b"{", b"\xff", b'{"mode": NaN}', b"[" * 90_000, b'{"a": 1e999}', b'{"a": %s}' % (b"9" * 5000)]
)
def test_bodies_that_are_no_json(operator, raw):
    answer = operator.generic("POST", f"{FLAT}/sessions", raw, "application/json")
    assert (answer.status_code, answer.json()["error"]) == (400, "invalid_body")


def test_credentials_and_roles(api, operator, settings):
    session = start(operator)
    settings.REPLAY_API_TOKEN = "a-token-of-twenty-chars"
    for headers, status, error in (
        ({}, 401, "missing_bearer_token"),
        ({"Authorization": "Basic abc"}, 401, "missing_bearer_token"),
        ({"Authorization": "Bearer sk-wrong"}, 403, "invalid_bearer_token"),
        ({"X-API-Key": "sk-wrong"}, 403, "invalid_bearer_token"),
        ({"Authorization": "Bearer a-token-of-twenty-chars"}, 200, None),
        ({"X-Api-Key": "a-token-of-twenty-chars"}, 200, None),
        ({"X-Api-Key": operator.raw_key}, 200, None),
        ({"X-Public-Key": operator.raw_key}, 403, "invalid_bearer_token"),
    ):
        answer = api(None).get(f"{FLAT}/sessions/{session}", headers=headers)
        assert (answer.status_code, answer.json().get("error")) == (status, error), headers
        assert answer.json().get("code") == (1 if error else None)
    token = {"Authorization": "Bearer a-token-of-twenty-chars"}
    assert api(None).post(f"{WIRE}/sessions", {"mode": "capture"}, headers=token).status_code == 200
    assert api(None).get("/api/v1/instances", headers=token).status_code == 401, "the token opens replay alone"
    viewer = api("VIEWER")
    assert viewer.get(f"{FLAT}/sessions/{session}").status_code == 200
    for path in ("sessions", f"sessions/{session}/rules", f"sessions/{session}/close", "inject", "traces"):
        answer = viewer.post(f"{FLAT}/{path}", {"mode": "replay"})
        assert (answer.status_code, answer.json()["error"]) == (403, "forbidden"), path
    agent = api("OPERATOR", instance_id="c" + "0" * 24)
    assert agent.get(f"{FLAT}/meta").status_code == 200
    assert ask(agent, session).status_code == 404 and ask(agent, session).json()["message"].startswith("no rule")
    for answer in (agent.get(f"{FLAT}/sessions"), agent.post(f"{FLAT}/sessions", {"mode": "replay"})):
        assert (answer.status_code, answer.json()["error"]) == (403, "forbidden")
    assert api(None).get("/api/replay/health").json()["schemaVersion"] == "1"


def test_another_team_sees_nothing(api):
    ours, theirs = make_team(), make_team()
    mine = api("VIEWER", teams={ours: "OPERATOR"})
    other, admin = api("VIEWER", teams={theirs: "OPERATOR"}), api("ADMIN")
    session = start(mine, "capture")
    assert Session.objects.get().team == ours
    for path in ("", "/stats", "/state", "/journal"):
        assert other.get(f"{FLAT}/sessions/{session}{path}").status_code == 404
        assert admin.get(f"{FLAT}/sessions/{session}{path}").status_code == 200
    for path in ("/rules", "/close", "/policy"):
        assert other.post(f"{FLAT}/sessions/{session}{path}", {"rules": []}).json()["error"] == "session_not_found"
    for path, document in (("inject", span("inject", session)), ("traces", span("extract", session))):
        assert other.post(f"{FLAT}/{path}", document).json()["error"] == "session_not_found"
    assert other.get(f"{FLAT}/captures/{session}").json()["error"] == "capture_not_found"
    assert other.get(f"{FLAT}/captures").json() == {"captures": []}
    assert other.get(f"{FLAT}/sessions").json() == {"sessions": []}
    assert len(mine.get(f"{FLAT}/captures").json()["captures"]) == 1


@pytest.mark.parametrize(("base", "nested"), [(FLAT, False), (WIRE, True)])
def test_routes_that_do_not_exist_and_methods(operator, base, nested):
    for method, path, status, code, exit_code in (
        ("GET", "nothing", 404, "not_found", 1),
        ("POST", "sessions/a/b/c", 404, "not_found", 1),
        ("DELETE", "sessions", 405, "method_not_allowed", 2),
        ("GET", "inject", 405, "method_not_allowed", 2),
        ("GET", "captures/none", 404, "not_found" if nested else "capture_not_found", 4),
        ("GET", "schemas/other.json", 404, "not_found", 1),
    ):
        answer = operator.generic(method, f"{base}/{path}")
        body = answer.json()
        found = body["error"]["code"] if nested else body["error"]
        assert (answer.status_code, found) == (status, code), (method, path)
        assert nested or body["code"] == exit_code
    for name in operator.get(f"{base}/meta").json()["supportedSchemas"]:
        assert "$schema" in operator.get(f"{base}/schemas/{name}").json()


def test_untouched_sessions_end_and_are_forgotten(operator, settings):
    quiet, used = start(operator, "capture"), start(operator)
    put_rules(operator, used, rule(consume="once"))
    Session.objects.filter(pk=quiet).update(touched_at=timezone.now() - timedelta(hours=25))
    tend()
    assert operator.get(f"{FLAT}/sessions/{quiet}").status_code == 404
    assert operator.get(f"{FLAT}/captures/{quiet}").status_code == 200, "what was captured is kept"
    assert operator.get(f"{FLAT}/sessions/{used}").status_code == 200
    assert operator.post(f"{FLAT}/sessions/{quiet}/close").status_code == 409
    operator.post(f"{FLAT}/sessions/{used}/close")
    services.bury(now=timezone.now() + timedelta(hours=25))
    assert not Session.objects.exists() and not RuleUse.objects.exists()
    assert operator.post(f"{FLAT}/sessions/{quiet}/close").status_code == 404
