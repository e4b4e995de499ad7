"""Captured answers found again, and secrets taken out before they are kept (contract: traffic replay §7.3 and §9)."""

import json
from dataclasses import replace

from loadtest.replay.matching.compiled import compile_rules
from loadtest.replay.matching.recordings import Recordings, identity
from loadtest.replay.matching.redaction import scrub
from loadtest.replay.spans import reading
from loadtest.replay.spans.exchange import Body, Exchange, Response
from loadtest.replay.spans.writing import trace_document

ASKED = Exchange(kind="inject", direction="outbound", method="GET", authority="bank.example:81", target="/pay?a=1&b=2")


def captured(text, *, status=200, kind="extract", **told):
    response = (
        Response(status, (("content-type", "text/plain"), ("content-length", "5")), Body(text)) if status else None
    )
    return trace_document(replace(ASKED, kind=kind, response=response, **told))


def case(*traces):
    return {"version": "1.0.0", "caseId": "c", "traces": list(traces)}


def answers(recordings, asked=ASKED, turns=4):
    found = [recordings.answer(asked, turn) for turn in range(turns)]
    return [answer.body.text if answer else None for answer in found]


def test_the_same_request_gets_its_answers_in_order_and_then_the_last_one():
    recordings = Recordings(case(captured("1"), captured("2"), captured("no", kind=""), captured("3", kind="inject")))
    assert answers(recordings) == ["1", "2", "3", "3"]
    assert recordings.answer(ASKED, 0).headers == (("content-type", "text/plain"),), "lengths belong to the wire"
    assert answers(Recordings(None)) == answers(Recordings(case(captured("x", status=0)))) == [None] * 4


def test_direction_method_host_and_path_must_be_equal_port_and_case_not():
    recordings = Recordings(case(captured("x", authority="BANK.example", method="get")))
    assert answers(recordings, turns=1) == ["x"]
    for other in ({"direction": "inbound"}, {"method": "POST"}, {"authority": "a.bank.example"}, {"target": "/pay/"}):
        assert answers(recordings, replace(ASKED, **other), 1) == [None], other


def test_equal_query_is_preferred_and_then_equal_body():
    recordings = Recordings(
        case(
            captured("bare", target="/pay"),
            captured("query", target="/pay?b=2&a=1"),
            captured("both", target="/pay?b=2&a=1", body=Body("x")),
            captured("body", target="/pay?z=1", body=Body("y")),
        )
    )
    assert answers(recordings, turns=3) == ["query", "query", "query"], "the empty body is equal too"
    assert answers(recordings, replace(ASKED, body=Body("x")), 2) == ["both", "both"]
    assert answers(recordings, replace(ASKED, body=Body("new")), 3) == ["query", "both", "both"]
    assert answers(recordings, replace(ASKED, target="/pay?c=3", body=Body("y")), 2) == ["body", "body"]
    assert answers(recordings, replace(ASKED, target="/pay?c=3", body=Body("new")), 5) == [
        "bare",
        "query",
        "both",
        "body",
        "body",
    ]


def test_one_cursor_for_each_request():
    assert identity(ASKED) == identity(replace(ASKED, target="/pay?b=2&a=1", authority="Bank.example"))
    others = [
        {"body": Body("x")},
        {"target": "/pay?a=1"},
        {"method": "PUT"},
        {"direction": "inbound"},
        {"target": "/pay"},
    ]
    assert len({identity(replace(ASKED, **other)) for other in [{}, *others]}) == len(others) + 1


def test_secret_headers_and_what_capture_only_rules_name_never_get_kept():
    card = {"card": {"number": "4111", "owner": "O"}, "list": [{"pin": 1}, {"pin": 2}]}
    document = trace_document(
        replace(
            ASKED,
            headers=(
                ("authorization", "Bearer s3cret"),
                ("cookie", "a=s3cret"),
                ("cookie", "b=s3cret"),
                ("x-tenant", "s3cret"),
            ),
            body=Body(json.dumps(card)),
            response=Response(200, (("set-cookie", "s3cret"), ("etag", "1")), Body(json.dumps({"list": [{"pin": 3}]}))),
        )
    )
    only = {"redactHeaders": ["X-Tenant"], "redactJsonPaths": ["$.card", "$.card.number", "$..pin"]}
    rules = [
        {"when": {"path": "/pay"}, "then": {"action": "capture_only", "captureOnly": only}},
        {"when": {"path": "/other"}, "then": {"action": "capture_only", "captureOnly": {"redactHeaders": ["etag"]}}},
    ]
    before = json.dumps(document)
    kept = scrub(document, compile_rules(rules, [], {}))
    assert "s3cret" not in json.dumps(kept) and json.dumps(document) == before, "what was given stays as it is"
    exchange = reading.exchange(next(reading.spans(kept)))
    assert exchange.header_values["authorization"] == "[REDACTED]" and ("etag", "1") in exchange.response.headers
    assert exchange.body.value == {"card": "[REDACTED]", "list": [{"pin": "[REDACTED]"}] * 2}
    assert exchange.response.body.value == {"list": [{"pin": "[REDACTED]"}]}
    plain = scrub(document, headers=())
    assert plain == document
    assert ("set-cookie", "[REDACTED]") not in Recordings(case(kept)).answer(ASKED, 0).headers


def test_body_that_cannot_be_looked_into_is_left_out_whole():
    paths = {"redactJsonPaths": ["$..*..*..*..*..pin"]}
    ruleset = compile_rules([{"when": {}, "then": {"action": "capture_only", "captureOnly": paths}}], [], {})
    for body, kept in (
        ({"a": [[[[[[[[1]]]]]]]] * 200}, "[REDACTED]"),
        ("x" * (2 << 20), "[REDACTED]"),
        ('{"pin": 1, "cut of', "[REDACTED]"),
        ("[" * 90_000 + "]" * 90_000, "[REDACTED]"),
        ("pin 1", "pin 1"),
    ):
        text = body if isinstance(body, str) else json.dumps(body)
        document = scrub(trace_document(replace(ASKED, body=Body(text))), ruleset)
        assert reading.exchange(next(reading.spans(document))).body.text == kept
