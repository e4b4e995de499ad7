"""Every key of `when` against requests that it takes and that it does not (contract: traffic replay §7.1)."""

import json

import pytest

from loadtest.replay.matching.compiled import compile_rules
from loadtest.replay.matching.near_misses import explain
from loadtest.replay.spans.exchange import Body, Exchange

ORDER = {"items": [{"sku": "a", "n": 1}, {"sku": "b", "n": 2.5}], "paid": True, "note": None, "1": "one"}
DEEP = {"a": [[[[[[[[1]]]]]]]] * 200}


def call(**told):
    basic = {"direction": "outbound", "service": "shop", "method": "POST", "authority": "Api.Bank.example:8443"}
    if isinstance(told.get("body"), dict | list):
        told["body"] = json.dumps(told["body"])
    if "body" in told:
        told["body"] = Body(told["body"])
    return Exchange(**{**basic, "target": "/v1/pay?b=2&a=1", **told})


def headers(*lines):
    return {"headers": tuple(lines)}


TABLE = [
    # when, what the request differs in, does it hold
    ({}, {}, True),
    ({"direction": "outbound"}, {}, True),
    ({"direction": "outbound"}, {"direction": "inbound"}, False),
    ({"direction": "outbound"}, {"direction": ""}, False),
    ({"direction": ""}, {"direction": "inbound"}, True),
    ({"service": "shop"}, {}, True),
    ({"service": "Shop"}, {}, False),
    ({"host": "api.bank.example"}, {}, True),
    ({"host": "API.bank.example:8443"}, {}, True),
    ({"host": "api.bank.example:443"}, {}, False),
    ({"host": "bank.example"}, {}, False),
    ({"host": ""}, {"authority": ""}, True),
    ({"host": "bank.example"}, {"authority": ""}, False),
    ({"host": "[::1]"}, {"authority": "[::1]:80"}, True),
    ({"host": "::1"}, {"authority": "[::1]:80"}, True),
    ({"host": "[::1]:81"}, {"authority": "[::1]:80"}, False),
    ({"host": "bank.example"}, {"authority": "bank.example."}, True),
    ({"hostSuffix": "bank.example"}, {}, True),
    ({"hostSuffix": "BANK.example"}, {"authority": "bank.example"}, True),
    ({"hostSuffix": "bank.example"}, {"authority": "riverbank.example"}, False),
    ({"hostSuffix": ".bank.example"}, {"authority": "bank.example"}, False),
    ({"hostSuffix": ".bank.example"}, {}, True),
    ({"notHostSuffix": ["other.example", "bank.example"]}, {}, False),
    ({"notHostSuffix": ["other.example"]}, {}, True),
    ({"notHostSuffix": [""]}, {}, True),
    ({"method": "post"}, {}, True),
    ({"method": "GET"}, {}, False),
    ({"path": "/v1/pay"}, {}, True),
    ({"path": "/v1/pay"}, {"target": "/v1/pay/"}, False),
    ({"path": "/v1/pay?b=2&a=1"}, {}, True),
    ({"path": "/v1/pay?a=1&b=2"}, {}, False),
    ({"path": "/V1/pay"}, {}, False),
    ({"pathPrefix": "/v1/"}, {}, True),
    ({"pathPrefix": "/v2"}, {}, False),
    ({"headers": {"Accept": "text/html"}}, headers(("accept", "text/html")), True),
    ({"headers": {"accept": "text/html"}}, headers(("accept", "application/json, text/html")), True),
    ({"headers": {"accept": "text/html"}}, headers(("accept", "text/html;q=1")), False),
    ({"headers": {"accept": ["a", "b"]}}, headers(("accept", "a"), ("accept", "b")), True),
    ({"headers": {"accept": ["a", "c"]}}, headers(("accept", "a, b")), False),
    ({"headers": {"x-list": "a, b"}}, headers(("x-list", "a, b")), True),
    ({"headers": {"accept": ""}}, {}, False),
    ({"headers": {"accept": ""}}, headers(("accept", "")), True),
    ({"headerMatch": {"User-Agent": "^curl/[78]"}}, headers(("user-agent", "curl/8.1")), True),
    ({"headerMatch": {"user-agent": "wget"}}, headers(("user-agent", "curl/8.1")), False),
    ({"headerMatch": {"user-agent": ""}}, {}, False),
    ({"headerMatch": {"x": "(a+)+$"}}, headers(("x", "a" * 40_000 + "b")), False),
    ({"headerMatch": {"x": "a"}}, headers(("x", "a" * 70_000)), False),
    ({"bodyJsonPath": "$.items[?@.sku == 'b'].n"}, {"body": ORDER}, True),
    ({"bodyJsonPath": "$.note"}, {"body": ORDER}, True),
    ({"bodyJsonPath": "$.missing"}, {"body": ORDER}, False),
    ({"bodyJsonPath": "$"}, {"body": "no json"}, False),
    ({"bodyJsonPath": "$"}, {}, False),
    ({"bodyJsonPath": ""}, {}, True),
    ({"bodyJsonPath": "$.items[?search(@.sku, '^[ab]$')]"}, {"body": ORDER}, True),
    ({"bodyJsonPath": "$.items[?match(@.sku, '(?=a)a')]"}, {"body": ORDER}, False),
    ({"bodyJsonPath": "$..*..*..*..*..*..[?@ == 2]"}, {"body": DEEP}, False),
    ({"bodyJsonPath": "$"}, {"body": '"' + "x" * (1 << 20) + '"'}, False),
    ({"bodyJsonPath": "$.a"}, {"body": "[" * 5_000 + "]" * 5_000}, False),
    ({"bodyJsonPathEquals": {"$.items[*].n": 2.5}}, {"body": ORDER}, True),
    ({"bodyJsonPathEquals": {"$.items[0].n": 1.0, "$.paid": True}}, {"body": ORDER}, True),
    ({"bodyJsonPathEquals": {"$.items[0].n": True}}, {"body": ORDER}, False),
    ({"bodyJsonPathEquals": {"$.paid": 1}}, {"body": ORDER}, False),
    ({"bodyJsonPathEquals": {"$.note": None}}, {"body": ORDER}, True),
    ({"bodyJsonPathEquals": {"$.missing": None}}, {"body": ORDER}, False),
    ({"bodyJsonPathEquals": {"$['1']": "one"}}, {"body": ORDER}, True),
    ({"traceTags": {"tenant": "blue"}}, {"tags": {"tenant": "blue"}}, True),
    ({"traceTags": {"tenant": "blue"}}, {}, False),
    ({"traceTags": {"n": 7}}, {"tags": {"n": "7"}}, True),
    ({"traceTags": {"n": "7"}}, {"tags": {"n": 7.0}}, True),
    ({"traceTagEquals": {"vip": True}}, {"tags": {"vip": "true"}}, True),
    ({"traceTagEquals": {"vip": True}}, {"tags": {"vip": 1}}, False),
    ({"method": "POST", "path": "/v1/pay", "host": "nope"}, {}, False),
]


@pytest.mark.parametrize(("when", "told", "holds"), TABLE)
def test_when_holds_or_not_and_the_report_says_the_same(when, told, holds):
    ruleset = compile_rules([{"when": when, "then": {"action": "mock"}}], [], {})
    exchange = call(**told)
    assert ruleset.rules[0].holds(exchange) is holds
    [report] = explain(ruleset, exchange)
    assert report.matches is holds
    assert report.as_json()["predicates"] == [each.__dict__ for each in report.findings]


def test_report_names_what_failed_with_what_was_seen_and_puts_the_nearest_first():
    def rule(name, **when):
        return {"name": name, "when": when, "then": {"action": "mock"}}

    exchange = call(body=ORDER, headers=(("accept", "text/html"),))
    rules = [
        rule("far", method="GET", path="/other", host="else.example"),
        rule("near", method="POST", path="/v1/pay", headers={"Accept": "text/plain"}),
        rule(
            "nearer", method="POST", path="/v1/pay", host="api.bank.example", bodyJsonPathEquals={"$.items[*].sku": "c"}
        ),
        rule("hit", method="POST"),
    ]
    reports = explain(compile_rules(rules, [], {}), exchange)
    assert [report.rule.label for report in reports] == ["hit", "nearer", "near", "far"]
    [failed] = reports[1].failed
    assert (failed.key, failed.wanted, failed.seen) == ("bodyJsonPathEquals.$.items[*].sku", "c", ["a", "b"])
    [failed] = reports[2].failed
    assert (failed.key, failed.wanted, failed.seen) == ("headers.Accept", "text/plain", "text/html")
    assert [each.seen for each in reports[3].failed] == ["POST", "Api.Bank.example:8443", "/v1/pay?b=2&a=1"]


def test_report_says_why_a_body_was_not_looked_into():
    ruleset = compile_rules([{"when": {"bodyJsonPath": "$..*..*..*..*..*.x"}, "then": {"action": "mock"}}], [], {})
    seen = {body: explain(ruleset, call(body=body))[0].findings[0].seen for body in ("no json", "x" * (2 << 20))}
    assert list(seen.values()) == ["a body that is not JSON", "a body of more than 1 MiB"]
    assert explain(ruleset, call(body=DEEP))[0].findings[0].seen == "more than 10000 nodes to look at"
    assert explain(ruleset, call())[0].findings[0].seen is None
    ruleset = compile_rules([{"when": {"bodyJsonPath": "$.a"}, "then": {"action": "mock"}}], [], {})
    for body, told in (('{"a": NaN}', "NaN"), ('{"a": ["\\ud800"]}', '["\\ud800"]'), ('{"a": "\\ud800"}', '"\\ud800"')):
        assert explain(ruleset, call(body=body))[0].findings[0].seen == told
