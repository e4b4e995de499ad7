"""HAR 1.2 in and out (contract: traffic replay §12)."""

import json
from dataclasses import replace

import pytest

from config.api.errors import Invalid
from loadtest.replay.documents import checks
from loadtest.replay.har.reading import read_har
from loadtest.replay.har.writing import write_har
from loadtest.replay.spans import reading
from loadtest.replay.spans.exchange import Body, Exchange, Response
from loadtest.replay.spans.writing import trace_document


def entry(request=(), response=(), **members):
    return {
        "startedDateTime": "2031-02-03T10:15:00.123+01:00",
        "time": 12.5,
        "request": {"method": "GET", "url": "https://bank.example:81/pay?a=1#top", "headers": [], **dict(request)},
        "response": {"status": 200, "headers": [], "content": {"text": "ok"}, **dict(response)},
        **members,
    }


def har(*entries):
    return {"log": {"version": "1.2", "entries": list(entries)}}


def exchanges(case):
    return [reading.exchange(span) for document in case["traces"] for span in reading.spans(document)]


def read(*entries):
    imported = read_har(har(*entries), case_id="c")
    assert checks.case_faults(imported.case) == []
    return exchanges(imported.case)


def test_entry_becomes_an_extract_span():
    [one] = read(entry())
    assert (one.kind, one.session_id, one.direction) == ("extract", "import", "outbound")
    assert (one.method, one.scheme, one.authority, one.target) == ("GET", "https", "bank.example:81", "/pay?a=1")
    assert (one.started_ns, one.ended_ns - one.started_ns) == (1_927_876_500_123_000_000, 12_500_000)
    assert one.response == Response(200, (), Body("ok")) and len(one.trace_id) == 32 and len(one.span_id) == 16


DIALECTS = [
    # change of request, change of response, field, value
    ({"headers": [{"name": "X-A", "value": "1"}, {"name": ":path", "value": "/"}]}, {}, "headers", (("x-a", "1"),)),
    ({"headers": {"X-A": "1"}}, {}, "headers", (("x-a", "1"),)),
    ({"headers": [{"name": "a", "value": None}, {"value": "x"}, 5]}, {}, "headers", (("a", ""),)),
    ({"url": "http://bank.example?x=1"}, {}, "target", "/?x=1"),
    ({"url": "http://me:secret@bank.example/"}, {}, "authority", "bank.example"),
    ({"postData": {"mimeType": "x", "text": "a=1"}}, {}, "body", Body("a=1")),
    ({"postData": {"params": [{"name": "a b", "value": "1"}, {"name": "c"}]}}, {}, "body", Body("a+b=1&c=")),
    ({"postData": {"text": "AP8=", "_encoding": "base64"}}, {}, "body_bytes", b"\x00\xff"),
    ({"postData": None}, {}, "body", None),
    ({}, {"content": {"text": "AP8=", "encoding": "base64"}}, "response", Response(200, (), Body("AP8=", "base64"))),
    ({}, {"content": {"text": "eyJhIjoxfQ==", "encoding": "base64"}}, "response", Response(200, (), Body('{"a":1}'))),
    ({}, {"content": {}}, "response", Response(200)),
    ({}, {"content": None}, "response", Response(200)),
    ({}, {"headers": [{"name": "Content-Encoding", "value": "gzip"}]}, "response", Response(200, (), Body("ok"))),
    (
        {},
        {"headers": [{"name": "Set-Cookie", "value": "a"}, {"name": "Set-Cookie", "value": "b"}]},
        "response",
        Response(200, (("set-cookie", "a"), ("set-cookie", "b")), Body("ok")),
    ),
]


@pytest.mark.parametrize(("request_", "response", "field", "value"), DIALECTS)
def test_dialects(request_, response, field, value):
    [one] = read(entry(request_, response))
    assert getattr(one, field) == value


@pytest.mark.parametrize(
    "members",
    [{"startedDateTime": moment} for moment in ("", "soon", None, "0001-01-01T00:00:00+23:00")]
    + [{"time": time} for time in ("1", -1, None, True, float("nan"), 1e300)],
)
def test_times_that_cannot_be_read_are_unknown(members):
    [one] = read(entry(**members))
    assert one.ended_ns - one.started_ns in (0, 12_500_000) and (one.started_ns == 0 or "time" in members)


SKIPPED = [
    (entry(response={"status": 0}), "status 0"),
    (entry(response={"status": 101}), "status 101"),
    (entry(response={"status": "200"}), "status '200'"),
    (entry({"url": "data:text/plain,x"}), "no address of http"),
    (entry({"url": "https://[broken"}), "cannot be read"),
    (entry(response={"content": {"text": "%", "encoding": "base64"}}), "not base64"),
    (entry(response={"content": "x"}), "response.content is no object"),
    (5, "the entry is no object"),
    ({}, "request is no object"),
    (entry() | {"response": None}, "response is no object"),
]


def test_entries_that_cannot_be_used_are_skipped_and_reported():
    imported = read_har(har(entry(), *(one for one, _ in SKIPPED)), case_id="c")
    assert len(imported.case["traces"]) == 1
    assert [told["entry"] for told in imported.skipped] == list(range(1, len(SKIPPED) + 1))
    for told, (_, reason) in zip(imported.skipped, SKIPPED, strict=True):
        assert reason in told["reason"]


@pytest.mark.parametrize(
    "document", [None, [], {}, {"log": []}, {"log": {"entries": {}}}, har(entry(response={"status": 0}))]
)
def test_what_is_no_har_is_refused(document):
    with pytest.raises(Invalid):
        read_har(document, case_id="c")
    assert read_har(har(), case_id="c").case["traces"] == []


ROUND = Exchange(
    kind="extract",
    session_id="import",
    direction="inbound",
    service="shop",
    method="POST",
    authority="[::1]:8080",
    scheme="https",
    target="/a%20b?x=%C3%A9&x=2&empty",
    headers=(("accept", "a"), ("accept", "b"), ("content-type", "text/plain")),
    body=Body("AP8=", "base64"),
    response=Response(
        503, (("set-cookie", "a"), ("set-cookie", "b"), ("content-encoding", "gzip")), Body("H4sA/w==", "base64", True)
    ),
    trace_id="0af7651916cd43dd8448eb211c80319c",
    span_id="b7ad6b7169203331",
    started_ns=1_927_876_500_123_456_789,
    ended_ns=1_927_876_500_200_000_001,
)


@pytest.mark.parametrize(
    "change",
    [
        {},
        {"body": Body('{"é": 1}', "", True), "response": Response(204)},
        {"body": None, "direction": "outbound", "service": "", "started_ns": 0, "ended_ns": 0},
        {"response": Response(200, (("location", "/x"),), Body("text"))},
    ],
)
def test_round_trip_is_exact(change):
    case = {"version": "1.0.0", "caseId": "c", "traces": [trace_document(replace(ROUND, **change))]}
    written = json.loads(json.dumps(write_har(case)))
    again = read_har(written, case_id="c")
    assert exchanges(again.case) == exchanges(case) and again.skipped == []
    assert again.case["traces"] == case["traces"]
    assert write_har(again.case) == written
    assert write_har({"caseId": "c", "traces": [trace_document(replace(ROUND, response=None))]})["log"]["entries"] == []
