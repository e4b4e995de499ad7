"""OTLP in both forms to trace documents and exchanges, and hits back (contract: traffic replay §6.1 and §8)."""

import json

import pytest
from opentelemetry.proto.trace.v1.trace_pb2 import TracesData

from config.api.errors import Malformed
from loadtest.replay.documents import checks
from loadtest.replay.spans import hits, reading
from loadtest.replay.spans.exchange import Body, Response
from loadtest.replay.spans.values import attribute, plain_attributes

JSON, PROTOBUF = "application/json", "application/x-protobuf"
TRACE, SPAN = "0af7651916cd43dd8448eb211c80319c", "b7ad6b7169203331"


def document(*spans, resource=()):
    attributes = [attribute(key, value) for key, value in dict(resource).items()]
    return {"resourceSpans": [{"resource": {"attributes": attributes}, "scopeSpans": [{"spans": list(spans)}]}]}


def span(attributes=(), **members):
    pairs = [attribute(key, value) for key, value in dict(attributes).items()]
    return {"traceId": TRACE, "spanId": SPAN, "attributes": pairs, **members}


def exchange(attributes, **resource):
    parsed = reading.parse(json.dumps(document(span(attributes), resource=resource)).encode(), JSON)
    return reading.exchange(next(reading.spans(parsed)))


def message():
    data = TracesData()
    resource = data.resource_spans.add()
    resource.resource.attributes.add(key="service.name").value.string_value = "shop"
    resource.scope_spans.add()  # a scope without spans
    one = resource.scope_spans.add().spans.add(
        trace_id=bytes.fromhex(TRACE), span_id=bytes.fromhex(SPAN), name="GET", kind=3, start_time_unix_nano=2**63
    )
    one.attributes.add(key="sp.span.type").value.string_value = "inject"
    one.attributes.add(key="sp.session.id").value.string_value = "sess_1"
    one.attributes.add(key="n").value.int_value = 2**62
    one.attributes.add(key="half").value.double_value = 0.5
    one.attributes.add(key="yes").value.bool_value = True
    one.attributes.add(key="raw").value.bytes_value = b"\x00\xff"
    one.attributes.add(key="http.request.header.accept").value.array_value.values.add().string_value = "text/html"
    one.events.add(name="e", time_unix_nano=7)
    one.links.add(trace_id=bytes.fromhex(TRACE), span_id=bytes.fromhex(SPAN))
    return data


def test_protobuf_becomes_the_document_that_the_same_json_gives():
    parsed = reading.parse(message().SerializeToString(), PROTOBUF)
    [one] = parsed["resourceSpans"][0]["scopeSpans"][0]["spans"]
    assert (one["traceId"], one["spanId"], one["startTimeUnixNano"]) == (TRACE, SPAN, str(2**63))
    assert plain_attributes(one["attributes"])["n"] == 2**62 and {"intValue": str(2**62)} in [
        pair["value"] for pair in one["attributes"]
    ]
    assert reading.parse(json.dumps(parsed).encode(), JSON) == parsed
    asked = reading.question(parsed)
    assert (asked.session_id, asked.service, asked.headers) == ("sess_1", "shop", (("accept", "text/html"),))
    assert checks.case_faults({"version": "1", "caseId": "c", "traces": [parsed]}) == []


def test_json_is_brought_into_our_form_and_unknown_keys_stay():
    given = document(
        {
            **span({"n": 7}),
            "traceId": "CvdlGRbNQ92ESOshHIAxnA==",
            "spanId": SPAN.upper(),
            "extra": 1,
            "parentSpanId": "",
        },
        {**span(), "traceId": "short", "attributes": [{"key": "n", "value": {"intValue": 8}}], "endTimeUnixNano": 5},
        {**span(), "traceId": None, "status": None, "attributes": None},
    )
    given["resourceSpans"].append({"scopeSpans": []})
    one, two, three = reading.parse(json.dumps(given).encode(), JSON)["resourceSpans"][0]["scopeSpans"][0]["spans"]
    assert (one["traceId"], one["spanId"], one["extra"]) == (TRACE, SPAN, 1)
    assert len(two["traceId"]) == 32 == len(three["traceId"]) and two["endTimeUnixNano"] == "5"
    assert two["attributes"] == [{"key": "n", "value": {"intValue": "8"}}]
    parsed = reading.parse(json.dumps(given).encode(), JSON)
    assert checks.case_faults({"version": "1", "caseId": "c", "traces": [parsed]}) == []


@pytest.mark.parametrize("kind", ["", "text/plain", "application/json; charset=utf-8"])
def test_first_byte_decides_where_the_type_does_not(kind):
    body = json.dumps(document(span({"sp.span.type": "inject"}))).encode()
    assert reading.question(reading.parse(b" " + body, kind)).kind == "inject"
    if "json" not in kind:
        assert reading.question(reading.parse(message().SerializeToString(), kind)).session_id == "sess_1"


BROKEN = [
    *(b"", b"{", b"[]", b"null", b"{}", b'{"resourceSpans": {}}', b'{"resourceSpans": [1]}', b'{"a": "\\ud800"}'),
    *(b'{"resourceSpans": []}', b'{"resourceSpans": [{"scopeSpans": [{"spans": []}]}]}', b"[" * 100_000),
    *(
        json.dumps(document({**span(), key: value})).encode()
        for key, value in {
            "traceId": 5,
            "name": 5,
            "kind": True,
            "status": [],
            "attributes": {},
            "events": 1,
            "startTimeUnixNano": "soon",
            "endTimeUnixNano": True,
        }.items()
    ),
    *(
        json.dumps(document({**span(), "attributes": [pair]})).encode()
        for pair in (
            *(
                {"value": {}},
                {"key": 1, "value": {}},
                {"key": "a", "value": 1},
                {"key": "a", "value": {"intValue": "x"}},
            ),
            *({"key": "a", "value": {"stringValue": 1}}, {"key": "a", "value": {"intValue": "9" * 5_000}}),
            *({"key": "a", "value": {"boolValue": "x"}}, {"key": "a", "value": {"arrayValue": {"values": [1]}}}),
        )
    ),
]


@pytest.mark.parametrize("body", BROKEN, ids=lambda body: body[:60].decode())
def test_what_is_no_otlp_is_refused(body):
    with pytest.raises(Malformed):
        reading.parse(body, JSON)


@pytest.mark.parametrize("body", [b"", b"\xff\xff", b"<html>", b"\x0a\x00"])
def test_what_is_no_protobuf_is_refused(body):
    with pytest.raises(Malformed):
        reading.parse(body, PROTOBUF)


FALLBACKS = [
    # attributes of the span, field, value
    ({"http.request.method": "PUT", "http.method": "GET"}, "method", "PUT"),
    ({"http.request.header.:method": "POST", "http.method": "GET"}, "method", "POST"),
    ({"http.method": "GET"}, "method", "GET"),
    ({"url.path": "/a?b=1", "http.target": "/c"}, "target", "/a?b=1"),
    ({"url.path": "/a", "url.query": "b=1"}, "target", "/a?b=1"),
    ({"http.request.header.:path": "/p", "http.target": "/c"}, "target", "/p"),
    ({"http.target": "/c?d"}, "target", "/c?d"),
    ({"url.full": "https://u@h.example:1/x?y#z"}, "target", "/x?y"),
    ({"url.host": "H.example:81"}, "host", "h.example"),
    ({"url.host": "[2001:db8::1]:81"}, "host", "2001:db8::1"),
    ({"server.address": "s.example", "server.port": 81}, "authority", "s.example:81"),
    ({"url.full": "https://h.example:1/"}, "authority", "h.example:1"),
    ({"url.full": "https://[broken"}, "authority", ""),
    ({"http.request.header.host": "k.example"}, "authority", "k.example"),
    ({"sp.service.name": "own"}, "service", "own"),
    ({}, "service", "of the resource"),
    ({"sp.traffic.direction": "inbound"}, "direction", "inbound"),
    (
        {"http.request.header.Accept": "a", "http.request.header.x": ["1", "2"]},
        "headers",
        (("accept", "a"), ("x", "1"), ("x", "2")),
    ),
    ({"http.request.body": ""}, "body", None),
    ({"http.request.body": "AAE=", "sp.http.request.body.encoding": "base64"}, "body_bytes", b"\x00\x01"),
    ({"http.request.body": "not base64", "sp.http.request.body.encoding": "base64"}, "body_bytes", b"not base64"),
    ({"http.request.body": "x", "sp.http.request.body.truncated": True}, "body", Body("x", "", True)),
    ({"http.response.status_code": 201}, "response", Response(201)),
    ({"http.status_code": "204"}, "response", Response(204)),
    ({"http.response.status_code": 99}, "response", None),
    ({"http.response.status_code": "9" * 400}, "response", None),
    ({"http.response.body": "x"}, "response", None),
]


@pytest.mark.parametrize(("attributes", "field", "value"), FALLBACKS)
def test_exchange_has_every_fallback(attributes, field, value):
    assert getattr(exchange(attributes, **{"service.name": "of the resource"}), field) == value


def test_session_is_the_first_on_a_span_and_then_on_a_resource():
    plain, named = span(), span({"sp.session.id": "sess_b"})
    assert reading.session_of(document(plain, named, resource={"sp.session.id": "sess_a"})) == "sess_b"
    assert reading.session_of(document(plain, resource={"sp.session.id": "sess_a"})) == "sess_a"
    assert reading.session_of(document(plain)) == ""
    asked = reading.question(document(plain, span({"sp.span.type": "inject"}), resource={"sp.session.id": "sess_a"}))
    assert asked.session_id == "sess_a" and asked.tags["sp.session.id"] == "sess_a"
    assert reading.question(document(plain)) is None


RESPONSES = [
    (Response(204), [("http.response.status_code", 204), ("http.response.header.x-softprobe-mock", "1")]),
    (Response(200, (), Body("{}")), [("http.response.status_code", 200), ("http.response.body", "{}")]),
    (
        Response(200, (("Etag", "1"), ("set-cookie", "a"), ("set-cookie", "b")), Body("AA==", "base64")),
        [
            ("http.response.status_code", 200),
            ("http.response.header.etag", "1"),
            ("http.response.header.set-cookie", ["a", "b"]),
            ("http.response.body", "AA=="),
            ("sp.http.response.body.encoding", "base64"),
        ],
    ),
]


@pytest.mark.parametrize(("response", "attributes"), RESPONSES)
def test_hit_in_both_forms_says_the_same_with_the_status_first(response, attributes):
    for as_json in (True, False):
        body, kind = hits.hit(response, as_json=as_json)
        [one] = reading.spans(reading.parse(body, kind))
        assert list(one.attributes.items()) == attributes
    [resource] = TracesData.FromString(hits.hit(response, as_json=False)[0]).resource_spans
    assert resource.scope_spans[0].spans[0].attributes[0].value.WhichOneof("value") == "int_value"


@pytest.mark.parametrize(
    ("accept", "as_json"),
    [("", False), ("*/*", False), (JSON, True), (f"{PROTOBUF}, {JSON}", False), ("Application/JSON;q=1", True)],
)
def test_protobuf_unless_json_alone_is_wanted(accept, as_json):
    assert hits.wants_json(accept) is as_json


def test_bytes_are_text_where_they_are_and_base64_otherwise():
    assert [Body.of(content) for content in (b"", "é".encode())] == [None, Body("é")]
    for content in (b"\xff\xfe", b"a\x00b"):
        assert Body.of(content).encoding == "base64" and Body.of(content).content == content
