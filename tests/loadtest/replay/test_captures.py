"""Traces become captures and cases (contract: traffic replay §6.1, §8 `/v1/traces`, §9, §12)."""

import gzip
import json
from datetime import timedelta

import pytest
from django.utils import timezone
from opentelemetry.proto.trace.v1.trace_pb2 import TracesData

from loadtest.replay.captures import files
from loadtest.replay.captures.models import Capture, Piece
from loadtest.replay.sessions import services
from loadtest.replay.sessions.models import Session
from loadtest.replay.sessions.tasks import forget
from loadtest.workspace.models import SavedRequest
from tests.loadtest.replay.conftest import (
    FLAT,
    WIRE,
    ask,
    case,
    put_rules,
    read,
    report,
    rule,
    span,
    start,
    stats,
    told,
)  # fmt: skip

pytestmark = pytest.mark.django_db
SECRETS = {"http.request.header.authorization": "Bearer hush", "http.response.header.set-cookie": "sid=hush"}


def test_capture_close_download_and_replay(operator):
    session = start(operator, "capture")
    answer = report(operator, session, body="first", more=SECRETS)
    assert (answer.status_code, answer.json()) == (200, {"captureId": session, "accepted": True})
    message = TracesData()
    one = message.resource_spans.add().scope_spans.add().spans.add(trace_id=b"\x01" * 16, span_id=b"\x02" * 8)
    for name, value in (("sp.span.type", "extract"), ("sp.session.id", session), ("url.host", "a.example")):
        one.attributes.add(key=name).value.string_value = value
    packed = gzip.compress(message.SerializeToString())
    answer = operator.generic("POST", f"{WIRE}/traces", packed, "application/x-protobuf", HTTP_CONTENT_ENCODING="gzip")
    assert answer.status_code == 200, answer.content
    assert stats(operator, session)["extractedSpans"] == 2
    closed = operator.post(f"{FLAT}/sessions/{session}/close", {}).json()
    assert closed == {
        "sessionId": session, "closed": True, "casePath": f"captures/{session}.case.json", "traceCount": 2,
    }  # fmt: skip
    document = read(operator.get(f"{WIRE}/captures/{session}"))
    assert "hush" not in json.dumps(document)
    assert {document["captureId"], document["caseId"]} == {session} and document["version"] == "1.0.0"
    spans = [trace["resourceSpans"][0]["scopeSpans"][0]["spans"][0] for trace in document["traces"]]
    assert (spans[1]["traceId"], spans[1]["spanId"]) == ("01" * 16, "02" * 8)
    replay = start(operator)
    answer = operator.post(f"{FLAT}/sessions/{replay}/load-case", document)
    assert answer.json()["traceCount"] == 2
    put_rules(operator, replay, rule("replay"))
    assert told(ask(operator, replay))["http.response.body"] == "first"


def test_nothing_captured_is_a_case_too(operator):
    session = start(operator, "capture")
    closed = operator.generic("POST", f"{FLAT}/sessions/{session}/close?out=../../etc/p%00wd.json", b"", "").json()
    assert closed["traceCount"] == 0 and "capturePath" not in closed
    assert closed["casePath"] == f"captures/p-wd.{session}.case.json"
    assert read(operator.get(f"{FLAT}/captures/{session}"))["traces"] == []
    assert read(operator.get(f"{FLAT}/captures/{session}?format=har"))["log"]["entries"] == []


def test_late_traces_are_appended_and_later_ones_refused(operator):
    session = start(operator, "capture")
    operator.post(f"{FLAT}/sessions/{session}/rules", {"rules": [
        {"when": {}, "then": {"action": "capture_only", "captureOnly": {"redactJsonPaths": ["$.pin"]}}},
    ]})  # fmt: skip
    operator.post(f"{FLAT}/sessions/{session}/close")
    assert report(operator, session, body='{"pin": "hush"}').status_code == 200
    document = read(operator.get(f"{FLAT}/captures/{session}"))
    assert len(document["traces"]) == 1 and "hush" not in json.dumps(document), "its rules still mask"
    Session.objects.update(closed_at=timezone.now() - timedelta(minutes=1))
    answer = report(operator, session)
    assert (answer.status_code, answer.json()["error"]) == (404, "session_not_found")


def test_other_modes_keep_what_a_rule_asks_for(operator):
    session = start(operator)
    put_rules(operator, session, rule("capture_only", path="/kept"), rule(path="/kept", host="mocked.example"))
    assert report(operator, session, path="/dropped").json()["accepted"]
    assert not Capture.objects.exists()
    document = span("extract", session, path="/kept")
    spans = document["resourceSpans"][0]["scopeSpans"][0]["spans"]
    spans += span("extract", session, path="/other")["resourceSpans"][0]["scopeSpans"][0]["spans"]
    spans += span("extract", session, path="/kept", host="mocked.example")["resourceSpans"][0]["scopeSpans"][0]["spans"]
    operator.post(f"{FLAT}/traces", document)
    kept = read(operator.get(f"{FLAT}/captures/{session}"))["traces"]
    assert len(kept) == 1 and len(kept[0]["resourceSpans"][0]["scopeSpans"][0]["spans"]) == 1
    assert stats(operator, session)["extractedSpans"] == 1


def test_traces_without_a_session(operator):
    document = span("extract")
    document["resourceSpans"][0]["scopeSpans"][0]["spans"][0]["attributes"] = []
    capture = operator.post(f"{FLAT}/traces", document).json()["captureId"]
    assert capture.startswith("cap_")
    listed = operator.get(f"{FLAT}/captures").json()["captures"]
    assert [(one["captureId"], one["origin"], one["traceCount"]) for one in listed] == [(capture, "standalone", 1)]
    for body in (b"", b"{}", b'{"resourceSpans": []}', b"\x08"):
        assert operator.generic("POST", f"{FLAT}/traces", body, "").status_code == 400, body
    assert report(operator, "sess_unknown").json()["error"] == "session_not_found"


def test_a_capture_is_bounded(operator, settings):
    settings.REPLAY_MAX_CAPTURE_BYTES = 1500
    session = start(operator, "capture")
    answers = [report(operator, session, body="x" * 300) for _ in range(4)]
    assert [answer.status_code for answer in answers] == [200, 413, 413, 413]
    assert answers[1].json() == answers[1].json() | {"error": "payload_too_large", "code": 5}
    assert stats(operator, session)["extractedSpans"] == 1 == Piece.objects.count()


def test_a_copy_in_a_folder(operator, settings, tmp_path, monkeypatch):
    settings.REPLAY_CAPTURE_DIR, settings.REPLAY_CAPTURE_NAME = tmp_path / "new", "../{mode}/{ts}.json"
    session = start(operator, "capture")
    report(operator, session)

    def full(*_):
        raise OSError("the disk is full")

    with monkeypatch.context() as broken:
        broken.setattr(files.os, "replace", full)
        answer = operator.post(f"{FLAT}/sessions/{session}/close")
        assert (answer.status_code, answer.json()["error"]) == (500, "internal_error")
        tend_at = timezone.now() + timedelta(hours=25)
        assert services.expire(now=tend_at, after=timedelta(hours=24)) == 0, "the others do not wait for its disk"
        assert not list((tmp_path / "new").iterdir()) and operator.get(f"{FLAT}/sessions/{session}").status_code == 200
    path = operator.post(f"{FLAT}/sessions/{session}/close").json()["casePath"]
    (file,) = (tmp_path / "new").iterdir()
    assert path == f"captures/{file.name}" and session in file.name and file.suffix == ".json"
    assert json.loads(file.read_bytes())["captureId"] == session
    Capture.objects.update(created_at=timezone.now() - timedelta(days=31))
    Session.objects.update(touched_at=timezone.now())
    forget()
    assert not file.exists() and not Capture.objects.exists() and not Piece.objects.exists()


def test_har_out_and_in_again(operator):
    session = start(operator, "capture")
    report(operator, session, host="api.example:8080", path="/list?b=2&a=1", body="found", more=SECRETS)
    har = read(operator.get(f"/api/replay/cases/{session}?format=har"))
    (entry,) = har["log"]["entries"]
    assert entry["response"]["content"]["text"] == "found" and "/list?b=2&a=1" in entry["request"]["url"]
    har["log"]["entries"].append({**entry, "response": {**entry["response"], "status": 0}})
    cookie = {"name": "Cookie", "value": "sid=hush"}
    entry["request"]["headers"].append(cookie)
    answer = operator.post("/api/replay/cases/import", har)
    assert answer.status_code == 201 and answer.json()["traceCount"] == 1
    assert answer.json()["skipped"][0]["entry"] == 1
    imported = read(operator.get(f"/api/replay/cases/{answer.json()['captureId']}"))
    assert "hush" not in json.dumps(imported)
    replay = start(operator)
    assert operator.post(f"{FLAT}/sessions/{replay}/load-case", imported).status_code == 200
    put_rules(operator, replay, rule("replay"))
    answer = ask(operator, replay, host="api.example:8080", path="/list?a=1&b=2")
    assert told(answer)["http.response.body"] == "found"


def test_imports_that_are_refused(operator):
    for body, status in (
        ({}, 400), ({"log": 5}, 400), (case({}), 400), ([], 400),
        (case(rules=[{"when": {}, "then": {"action": "none"}}]), 422),
    ):  # fmt: skip
        answer = operator.post("/api/replay/cases/import", body)
        assert answer.status_code == status, (body, answer.json())
    kept = operator.post("/api/replay/cases/import", case(span("extract", status=200), suite="nightly")).json()
    assert read(operator.get(f"/api/replay/cases/{kept['captureId']}"))["suite"] == "nightly"
    assert Capture.objects.count() == 1


def test_a_case_becomes_a_collection(operator, api):
    session = start(operator, "capture")
    for path in ("/orders?page=1", "/orders?page=1", "/orders?page=2"):
        more = SECRETS | {"http.request.header.accept": "application/json", "http.request.header.host": "shop.example"}
        report(operator, session, direction="inbound", host="shop.example", path=path, more=more)
    report(operator, session, direction="outbound")
    answer = operator.post(f"/api/replay/captures/{session}/collection")
    assert answer.status_code == 201, answer.content
    assert (answer.json()["requestCount"], answer.json()["skippedCount"]) == (2, 0)
    rows = SavedRequest.objects.filter(collection=answer.json()["collectionId"]).order_by("order")
    assert [row.url for row in rows] == [f"http://shop.example/orders?page={page}" for page in (1, 2)]
    assert rows[0].headers == {"accept": "application/json"}
    assert api("VIEWER").post(f"/api/replay/captures/{session}/collection").status_code == 403
    empty = start(operator, "capture")
    assert operator.post(f"/api/replay/captures/{empty}/collection").status_code == 400
