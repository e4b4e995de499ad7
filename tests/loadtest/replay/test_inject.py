"""Questions of a proxy and their answers (contract: traffic replay §7, §8). Precedence itself: test_precedence."""

import gzip
import json
import threading

import pytest
from asgiref.sync import async_to_sync
from asgiref.testing import ApplicationCommunicator
from django.db import connection
from django.test.utils import CaptureQueriesContext
from opentelemetry.proto.trace.v1.trace_pb2 import TracesData

from loadtest.replay.dataplane import callers, inject
from loadtest.replay.sessions import journal, services
from loadtest.replay.sessions.models import Session
from security.keys.services import principal_of
from tests.factories import make_key
from tests.loadtest.replay.conftest import (
    FLAT,
    STRICT,
    WIRE,
    ask,
    case,
    put_rules,
    rule,
    span,
    start,
    stats,
    told,
)  # fmt: skip

pytestmark = pytest.mark.django_db


def test_a_mock_in_both_encodings(operator):
    session = start(operator)
    answer = {"status": 201, "headers": {"X-Kind": "gold"}, "body": {"ok": True}}
    put_rules(operator, session, rule({"action": "mock", "response": answer}, host="BANK.example", pathPrefix="/led"))
    found = told(ask(operator, session, host="bank.example:8443"))
    assert list(found) == ["http.response.status_code", "http.response.header.x-kind", "http.response.body"]
    assert found["http.response.status_code"] in (201, "201") and found["http.response.body"] == '{"ok":true}'
    answer = operator.post(f"{WIRE}/inject", span("inject", session))
    assert answer["Content-Type"] == "application/x-protobuf"
    first = TracesData.FromString(answer.content).resource_spans[0].scope_spans[0].spans[0].attributes[0]
    assert (first.key, first.value.int_value) == ("http.response.status_code", 201)
    assert ask(operator, session, host="api.bank.example").status_code == 404
    assert stats(operator, session)["injectedSpans"] == 2 and stats(operator, session)["sessionRevision"] == 2


def test_strict_policy_refuses_and_counts(operator):
    session = start(operator, policy=STRICT)
    answer = ask(operator, session, method="PUT")
    assert (answer.status_code, answer["x-softprobe-strict-miss"], answer["Content-Type"]) == (
        599, "1", "application/json",
    )  # fmt: skip
    body = answer.json()
    assert body["sessionId"] == session and len(body["requestFingerprint"]) == 64
    assert ask(operator, session, direction="inbound").status_code == 404
    found = stats(operator, session)
    assert found["strictMisses"] == 1 == found["stats"]["strictMisses"] and found["injectedSpans"] == 0
    assert found["stats"]["lastStrictMiss"] == {"method": "PUT", "host": "bank.example", "path": "/ledger"}
    operator.post(f"{FLAT}/sessions/{session}/policy", {"externalHttp": "strict", "allowHosts": ["bank.example"]})
    assert ask(operator, session).status_code == 404, "a new policy holds for the next question"


def test_errors_by_rule(operator):
    session = start(operator)
    fail = {"action": "error", "error": {"status": 503, "body": {"reason": "down"}}}
    misread = {"action": "error", "error": {"status": 404, "body": "gone"}}
    put_rules(operator, session, rule(fail, path="/a"), rule(misread, path="/b"))
    answer = ask(operator, session, path="/a?x=1")
    assert (answer.status_code, answer.json()) == (503, {"reason": "down"})
    assert told(ask(operator, session, path="/b"))["http.response.status_code"] in (404, "404")
    assert stats(operator, session)["injectedSpans"] == 0


def test_recordings_come_in_turn(operator):
    session, other = start(operator), start(operator)
    recorded = [span("extract", status=200, body=text) for text in ("first", "second")]
    for one in (session, other):
        answer = operator.post(f"{FLAT}/sessions/{one}/load-case", case(*recorded, rules=[rule("replay")]))
        assert answer.json()["traceCount"] == 2
    bodies = [told(ask(operator, session))["http.response.body"] for _ in range(3)]
    assert bodies == ["first", "second", "second"]
    assert told(ask(operator, other))["http.response.body"] == "first", "each session has its own turn"
    assert ask(operator, session, path="/unknown").status_code == 404
    operator.post(f"{FLAT}/sessions/{session}/load-case", case(*recorded, rules=[rule("replay")]))
    assert told(ask(operator, session))["http.response.body"] == "first"
    assert stats(operator, session)["injectedSpans"] == 4


def test_once_until_a_new_document(operator):
    session = start(operator)
    once = rule(body="once", consume="once", priority=5)
    put_rules(operator, session, once, rule(body="many"))
    assert [told(ask(operator, session))["http.response.body"] for _ in range(3)] == ["once", "many", "many"]
    operator.post(f"{FLAT}/sessions/{session}/policy", STRICT)
    assert told(ask(operator, session))["http.response.body"] == "many", "a policy arms nothing"
    put_rules(operator, session, once)
    assert told(ask(operator, session))["http.response.body"] == "once"
    assert ask(operator, session).status_code == 599


def test_a_miss_writes_nothing(operator):
    session = start(operator)
    put_rules(operator, session, *[rule(host=f"h{number}.example") for number in range(50)])
    ask(operator, session)
    with CaptureQueriesContext(connection) as queries:
        assert ask(operator, session).status_code == 404
    asked = [query["sql"] for query in queries.captured_queries]
    assert not [sql for sql in asked if sql.startswith(("UPDATE", "INSERT", "DELETE"))]
    assert sum("replay_session" in sql for sql in asked) == 1, "one short look at the session"


def test_nothing_answers_after_close(operator):
    session = start(operator)
    put_rules(operator, session, rule())
    assert ask(operator, session).status_code == 200
    operator.post(f"{FLAT}/sessions/{session}/close")
    answer = ask(operator, session, base=WIRE)
    assert (answer.status_code, answer.json()["error"]["code"]) == (404, "unknown_session")
    assert Session.objects.get().injected_spans == 1


@pytest.mark.parametrize(
    ("body", "kind"),
    [
        (b"", "application/json"),
        (b"{}", ""),
        (b"\xff\xfe", "application/x-protobuf"),
        (b"[" * 60_000, "application/json"),
        (json.dumps(span("extract", "sess_x")).encode(), "text/plain"),
        (json.dumps(span("inject")).encode(), "application/json"),
        (b'{"resourceSpans": [{"scopeSpans": [{"spans": [7]}]}]}', "application/json"),
    ],
)
def test_questions_that_cannot_be_read(operator, body, kind):
    for base in (FLAT, WIRE):
        answer = operator.generic("POST", f"{base}/inject", body, kind)
        assert answer.status_code == 400, answer.content
        assert "invalid" in json.dumps(answer.json()["error"])


def test_ids_that_no_session_has(operator):
    for session in ("sess_none", "x" * 5000, "a\x00b"):
        answer = operator.generic("POST", f"{FLAT}/inject", json.dumps(span("inject", session)), "application/json")
        assert answer.status_code == 404 and answer.json()["error"] == "session_not_found", session[:20]


def test_journal_and_near_misses(operator):
    session = start(operator, policy=STRICT)
    near = rule(host="bank.example", method="POST", id="refund")
    put_rules(operator, session, rule(path="/hit"), near)
    ask(operator, session, path="/hit")
    ask(operator, session, path="/hit")
    secret = {"http.request.header.authorization": "Bearer hush", "http.request.body": "x" * 9000}
    ask(operator, session, more=secret)
    journal.writer.flush(1)
    found = operator.get(f"{FLAT}/sessions/{session}/journal").json()
    assert [entry["result"] for entry in found["entries"]] == ["refused", "hit", "hit"]
    assert found["rules"] == [{"rule": "session:0", "hits": 2, "spent": False}]
    missed = found["entries"][0]
    assert "hush" not in json.dumps(missed) and missed["request"]["bodyTruncated"] and missed["status"] == 599
    only = operator.get(f"{FLAT}/sessions/{session}/journal?result=hit&limit=1").json()["entries"]
    assert [entry["rule"]["key"] for entry in only] == ["session:0"]
    for body in ({"entry": missed["id"]}, {"method": "GET", "host": "bank.example", "path": "/ledger"}):
        report = operator.post(f"{FLAT}/sessions/{session}/explain", body).json()
        assert report["answer"]["outcome"] == "refused"
        nearest = report["rules"][0]
        assert nearest["label"] == "refund"
        assert [each["key"] for each in nearest["predicates"] if not each["holds"]] == ["method"]
    assert stats(operator, session)["strictMisses"] == 1, "to ask why counts nothing"


def test_the_journal_of_a_session_is_bounded(operator, monkeypatch):
    monkeypatch.setattr(journal, "KEPT", 5)
    session = start(operator)
    for _ in range(2):
        for _ in range(4):
            ask(operator, session)
        journal.writer.flush(1)
    assert len(operator.get(f"{FLAT}/sessions/{session}/journal").json()["entries"]) == 5


@async_to_sync
async def on_the_loop(path, body, headers, method="POST"):
    """Through the event loop, as the server does it: status, headers, body."""
    from config.asgi import http

    pairs = [(name.lower().encode(), value.encode()) for name, value in headers.items()]
    scope = {
        "type": "http", "http_version": "1.1", "method": method, "path": path, "headers": pairs, "query_string": b"",
        "scheme": "http", "root_path": "", "client": ("127.0.0.1", 1), "server": ("test", 80),
    }  # fmt: skip
    client = ApplicationCommunicator(http, scope)
    await client.send_input({"type": "http.request", "body": body})
    begin, end = await client.receive_output(10), await client.receive_output(10)
    await client.wait(5)
    return begin["status"], {name.decode(): value.decode() for name, value in begin["headers"]}, end["body"]


def test_the_way_without_threads(operator):
    session = start(operator)
    slow = {"action": "mock", "response": {"body": "late", "delayMs": 20}}
    put_rules(operator, session, rule(path="/a"), rule(slow, path="/slow"))
    question = json.dumps(span("inject", session, path="/a")).encode()
    key = operator.raw_key
    for path, headers in (
        ("/v1/inject", {"Authorization": f"Bearer {key}"}),
        ("//v1/inject", {"X-Api-Key": key}),
        ("/api/replay/v1/inject", {"X-Public-Key": key, "Accept": "application/json"}),
        ("/api/replay//v1/inject", {"Authorization": f"Bearer {key}", "Content-Encoding": "gzip"}),
    ):
        body = gzip.compress(question) if "Content-Encoding" in headers else question
        status, _, content = on_the_loop(path, body, headers)
        assert status == 200 and b"mocked" in content, path
    late = json.dumps(span("inject", session, path="/slow")).encode()
    assert on_the_loop("/v1/inject", late, {"X-Api-Key": key})[0] == 200
    put_rules(operator, session, rule({"action": "error", "error": {"status": 503, "delayMs": 29_000}}, path="/slow"))
    status, sent, _ = on_the_loop("/v1/inject", late, {"X-Api-Key": key, "X-Pharos-Delay": "caller"})
    assert (status, sent["x-pharos-delay-ms"]) == (503, "29000")  # the gateway waits itself
    for headers, method, status, code in (
        ({}, "POST", 401, "missing_bearer_token"),
        ({"X-Public-Key": "wrong"}, "POST", 403, "invalid_bearer_token"),
        ({"X-Api-Key": key}, "GET", 405, "method_not_allowed"),
        ({"X-Api-Key": key, "Content-Encoding": "br"}, "POST", 400, "invalid_request"),
        ({"X-Api-Key": key, "Content-Encoding": "gzip"}, "POST", 400, "invalid_request"),
    ):
        found, _, content = on_the_loop("/v1/inject", question, headers, method)
        assert (found, json.loads(content)["error"]["code"]) == (status, code)
    assert stats(operator, session)["injectedSpans"] == 5


@pytest.mark.slow
@pytest.mark.django_db(transaction=True)
def test_once_among_200_at_the_same_time():
    """Scenario 7, in threads with connections of their own. Counters and hits agree to the last one."""
    key, _ = make_key(role="OPERATOR")
    actor = principal_of(key)
    session = services.create(mode="replay", actor=actor)
    rules = [rule(body="once", consume="once", priority=1), rule(body="many", path="/many")]
    services.set_rules(session_id=session.pk, document={"rules": rules}, actor=actor)
    caller, statuses, gate = callers.caller_of(actor), [], threading.Barrier(8)

    def work(path):
        gate.wait(10)
        for _ in range(25):
            asked = inject.read(json.dumps(span("inject", session.pk, path=path)).encode(), "application/json")
            answer = async_to_sync(inject.answered)(asked, caller, accept="application/json", wire=True)
            statuses.append((path, answer.status, b"once" in answer.body))
        connection.close()

    threads = [threading.Thread(target=work, args=("/many" if n % 2 else "/other",)) for n in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(60)
    assert len(statuses) == 200 and sum(once for *_, once in statuses) == 1
    hits = sum(status == 200 for _, status, _ in statuses)
    assert hits in (100, 101)
    session.refresh_from_db()
    assert session.injected_spans == hits
