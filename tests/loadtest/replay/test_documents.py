"""What is wrong with a document, and where (contract: traffic replay §6)."""

import copy
import json

import pytest

from loadtest.replay.documents import checks
from loadtest.replay.documents.schemas import NAMES, schema
from loadtest.replay.documents.text import NotJson, parse

RULE = {"when": {}, "then": {"action": "passthrough"}}
SPAN = {"traceId": "1", "spanId": "2", "attributes": [{"key": "k", "value": {"stringValue": "v"}}]}
TRACE = {"resourceSpans": [{"scopeSpans": [{"spans": [SPAN]}]}]}
CASE = {
    "version": "1.0.0",
    "caseId": "c",
    "traces": [TRACE],
    "rules": [RULE],
    "fixtures": [{"name": "a", "value": None}],
}


def when(**keys):
    return {"when": keys, "then": {"action": "replay"}}


def then(action, **keys):
    return {"when": {}, "then": {"action": action, **keys}}


GOOD = [
    RULE,
    {**RULE, "id": "a", "name": "b", "priority": -3, "consume": "once"},
    when(
        direction="",
        host="",
        bodyJsonPath="",
        notHostSuffix=["a"],
        headers={"a": "x", "b": ["y", "z"]},
        headerMatch={"a": "^x"},
    ),
    when(bodyJsonPath="$.a[?@.b > 1]", bodyJsonPathEquals={"$.a": None, "$['b c']": 1.5}, traceTags={"a": True}),
    then("mock"),
    then("mock", response={"status": 599, "body": [1], "headers": {"a": "b"}, "delayMs": 0, "further": {"kept": 1}}),
    then("error", error={"status": 418, "body": None, "further": 1}),
    then("capture_only", captureOnly={"redactHeaders": ["a"], "redactJsonPaths": ["$.a"]}),
]

BAD = [
    # rule, path below rules[0], part of the message
    (5, "", "object"),
    ({"when": {}}, ".then", "required"),
    ({"then": {"action": "replay"}}, ".when", "required"),
    ({**RULE, "prio": 1}, ".prio", "unknown key"),
    ({**RULE, "priority": "1"}, ".priority", "integer"),
    ({**RULE, "priority": True}, ".priority", "integer"),
    ({**RULE, "priority": 1.5}, ".priority", "integer"),
    ({**RULE, "priority": 10**30}, ".priority", "maximum"),
    ({**RULE, "consume": "twice"}, ".consume", '"once", "many"'),
    ({**RULE, "id": 1}, ".id", "string"),
    ({**RULE, "when": None}, ".when", "object"),
    (when(hots="a"), ".when.hots", "unknown key"),
    (when(direction="up"), ".when.direction", '"inbound", "outbound"'),
    (when(host=None), ".when.host", "string"),
    (when(method=["GET"]), ".when.method", "string"),
    (when(notHostSuffix=[]), ".when.notHostSuffix", "less than 1"),
    (when(notHostSuffix="a"), ".when.notHostSuffix", "array"),
    (when(headers={"a": 1}), ".when.headers.a", "string"),
    (when(headers={"a": []}), ".when.headers.a", "less than 1"),
    (when(headers={"a": ["x", 1]}), ".when.headers.a[1]", "string"),
    (when(headerMatch={"a": "("}), ".when.headerMatch.a", "missing )"),
    (when(headerMatch={"a": "(?=x)"}), ".when.headerMatch.a", "RE2"),
    (when(headerMatch={"a": "x" * 1001}), ".when.headerMatch.a", "longer than 1000"),
    (when(headerMatch={"a": "(((a{100}){100}){100})"}), ".when.headerMatch.a", "RE2"),
    (when(bodyJsonPath="a.b"), ".when.bodyJsonPath", "JSONPath"),
    (when(bodyJsonPath="$." + "a" * 500), ".when.bodyJsonPath", "longer than 500"),
    (when(bodyJsonPath="$[?" + "(" * 400), ".when.bodyJsonPath", "JSONPath"),
    (when(bodyJsonPath="$[?@.a == 1e400]"), ".when.bodyJsonPath", "JSONPath"),
    (when(bodyJsonPath="$.a | $.b"), ".when.bodyJsonPath", "JSONPath"),
    (when(bodyJsonPath="$[?nope(@)]"), ".when.bodyJsonPath", "nope"),
    (when(bodyJsonPathEquals={"$.a": []}), ".when.bodyJsonPathEquals.$.a", "null"),
    (when(bodyJsonPathEquals={"a": 1}), ".when.bodyJsonPathEquals", "JSONPath"),
    (when(traceTags={"a": None}), ".when.traceTags.a", "string"),
    ({"when": {}, "then": {}}, ".then.action", "required"),
    (then("reply"), ".then.action", '"mock"'),
    (then("mock", respnse={}), ".then.respnse", "unknown key"),
    (then("mock", response=None), ".then.response", "object"),
    (then("mock", response={"status": "200"}), ".then.response.status", "integer"),
    (then("mock", response={"status": True}), ".then.response.status", "integer"),
    (then("mock", response={"status": 600}), ".then.response.status", "599"),
    (then("mock", response={"headers": {"a": 1}}), ".then.response.headers.a", "string"),
    (then("mock", response={"delayMs": -1}), ".then.response.delayMs", "minimum"),
    (then("error"), ".then.error", "required"),
    (then("error", error={"body": "x"}), ".then.error.status", "required"),
    (then("passthrough", response={}), ".then.response", "unknown key"),
    (then("replay", error={"status": 500}), ".then.error", "unknown key"),
    (then("capture_only", captureOnly={"redact": []}), ".then.captureOnly.redact", "unknown key"),
    (then("capture_only", captureOnly={"redactJsonPaths": ["x"]}), ".then.captureOnly.redactJsonPaths[0]", "JSONPath"),
]


@pytest.mark.parametrize("rule", GOOD)
def test_rule_that_is_right(rule):
    before = copy.deepcopy(rule)
    assert checks.rules_faults({"version": 1, "rules": [rule]}) == [] == checks.case_rule_faults({"rules": [rule]})
    assert rule == before


@pytest.mark.parametrize(("rule", "path", "message"), BAD)
def test_rule_that_is_wrong_is_told_at_its_place(rule, path, message):
    faults = checks.rules_faults({"rules": [RULE, rule]})
    assert [fault["path"] for fault in faults] == ["rules[1]" + path]
    assert message in faults[0]["message"]


@pytest.mark.parametrize(
    ("document", "path"),
    [
        ([], ""),
        ({}, "rules"),
        ({"rules": {}}, "rules"),
        ({"version": 2, "rules": []}, "version"),
        ({"version": True, "rules": []}, "version"),
        ({"version": "1", "rules": []}, "version"),
    ],
)
def test_rules_document(document, path):
    assert [fault["path"] for fault in checks.rules_faults(document)] == [path]
    assert checks.rules_faults({"rules": []}) == checks.rules_faults({"version": 1, "rules": [], "x": 1}) == []


def test_faults_are_bounded_and_half_characters_are_told():
    assert len(checks.rules_faults({"rules": [5] * 1_000})) == checks.MOST_FAULTS
    assert checks.rules_faults({"rules": [when(**{"\ud800": 1})]})[0]["message"].startswith("holds half a character")


@pytest.mark.parametrize(
    ("change", "path"),
    [
        ({}, None),
        ({"traces": [], "suite": "s", "mode": "replay", "further": 1}, None),
        ({"version": ""}, "version"),
        ({"version": 1}, "version"),
        ({"caseId": ""}, "caseId"),
        ({"mode": "record"}, "mode"),
        ({"traces": {}}, "traces"),
        ({"rules": {}}, "rules"),
        ({"fixtures": {"a": 1}}, "fixtures"),
        ({"fixtures": [{"name": "a"}]}, "fixtures[0].value"),
        ({"traces": [TRACE, {}]}, "traces[1].resourceSpans"),
        ({"traces": [{"resourceSpans": []}]}, "traces[0].resourceSpans"),
        ({"traces": [{"resourceSpans": [{}]}]}, "traces[0].resourceSpans[0].scopeSpans"),
        (
            {"traces": [{"resourceSpans": [{"scopeSpans": [{"spans": []}]}]}]},
            "traces[0].resourceSpans[0].scopeSpans[0].spans",
        ),
    ],
)
def test_case(change, path):
    assert [fault["path"] for fault in checks.case_faults({**CASE, **change})] == ([path] if path else [])


@pytest.mark.parametrize(
    ("change", "path"),
    [
        ({"traceId": 5}, "traceId"),
        ({"attributes": None}, "attributes"),
        ({"attributes": [{"key": 1, "value": {}}]}, "attributes[0].key"),
        ({"attributes": [{"key": "a", "value": "b"}]}, "attributes[0].value"),
        ({"kind": 1.5}, "kind"),
    ],
)
def test_span_of_a_case(change, path):
    document = {**CASE, "traces": [{"resourceSpans": [{"scopeSpans": [{"spans": [{**SPAN, **change}]}]}]}]}
    assert [fault["path"] for fault in checks.case_faults(document)] == [
        f"traces[0].resourceSpans[0].scopeSpans[0].spans[0].{path}"
    ]


def test_rules_of_a_case_are_a_question_of_their_own():
    document = {**CASE, "rules": [RULE, {**RULE, "x": 1}]}
    assert checks.case_faults(document) == []
    assert [fault["path"] for fault in checks.case_rule_faults(document)] == ["rules[1].x"]
    assert checks.case_rule_faults({"rules": 5}) == checks.case_rule_faults(None) == []


@pytest.mark.parametrize(
    ("policy", "path"),
    [
        ({}, None),
        ({"externalHttp": "strict", "allowHosts": ["a"], "further": 1}, None),
        ([], ""),
        ({"externalHttp": "Strict"}, "externalHttp"),
        ({"blockHosts": "a"}, "blockHosts"),
        ({"externalAllowlist": [1]}, "externalAllowlist[0]"),
        ({"defaultOnMiss": True}, "defaultOnMiss"),
    ],
)
def test_policy(policy, path):
    assert [fault["path"] for fault in checks.policy_faults(policy)] == ([] if path is None else [path])


@pytest.mark.parametrize(
    ("fixtures", "path"),
    [
        ({"fixtures": []}, None),
        ({"tokens": ["s3cret"], "metadata": {"a": 1}, "cookies": [{"name": "a", "value": "s3cret"}]}, None),
        ({}, ""),
        ("s3cret", ""),
        ({"tokens": ["s3cret", 5]}, "tokens[1]"),
        ({"fixtures": {"a": "s3cret"}}, "fixtures"),
        ({"cookies": [{"name": "a", "value": {"s3cret": 1}}]}, "cookies[0].value"),
        ({"metadata": {"a": ["s3cret"]}}, "metadata.a"),
    ],
)
def test_fixtures_are_checked_and_never_repeated(fixtures, path):
    faults = checks.fixtures_faults(fixtures)
    assert [fault["path"] for fault in faults] == ([] if path is None else [path])
    assert "s3cret" not in json.dumps(faults)


def test_large_cases_are_warned_of():
    wide = {**SPAN, "attributes": [{"key": "k", "value": {"stringValue": "v" * 70_000}}] * 200}
    trace = {"resourceSpans": [{"scopeSpans": [{"spans": [wide, *[SPAN] * 100]}]}]}
    told = [fault["message"] for fault in checks.warnings({**CASE, "traces": [trace]})]
    assert told == ["has more than 128 attributes", "has a text of more than 64 KiB", "hold more than 100 spans"]
    assert checks.warnings(CASE) == []


@pytest.mark.parametrize(
    ("text", "why"),
    [
        ("{", "line 1, column 2"),
        ("NaN", "NaN is no number"),
        ("1e999", "1e999 is no number"),
        ("[" * 100_000, "cannot be read"),
        ("9" * 5_000, "cannot be read"),
        (b'"\xed\xa0\x80"', "cannot be read"),
        (b"\xff", "cannot be read"),
    ],
)
def test_text_that_is_no_json_is_told_where(text, why):
    with pytest.raises(NotJson, match=why):
        parse(text)


def test_text_that_is_json():
    assert parse(b'\xef\xbb\xbf{"a": "\\ud83d\\ude00"}') == parse('{"a": "😀"}') == {"a": "😀"}


def test_schemas_are_published_by_name():
    assert all(schema(name)["$id"] == name for name in NAMES) and schema("../settings.py") is None
