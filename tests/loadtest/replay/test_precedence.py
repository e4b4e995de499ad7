"""Which rule wins: layers, priorities, order, policy, spent rules (contract: traffic replay §7.2 to §7.4)."""

import pytest

from loadtest.replay.matching.compiled import compile_rules
from loadtest.replay.matching.deciding import Outcome, decide, refusal, strict_miss
from loadtest.replay.spans.exchange import Body, Exchange, Response

STRICT = {"externalHttp": "strict"}
ALLOW = {}


def rule(name, priority=0, *, action="mock", once=False, path=""):
    then = {
        "mock": {"action": "mock", "response": {"body": name}},
        "error": {"action": "error", "error": {"status": 500}},
    }
    return {
        "name": name,
        "priority": priority,
        "consume": "once" if once else "many",
        "when": {"path": path},
        "then": then.get(action, {"action": action}),
    }


A, B = rule("a"), rule("b")
LOW, HIGH = rule("low", -1), rule("high", 5)
ELSEWHERE = rule("elsewhere", 9, path="/elsewhere")
ONCE = rule("once", 7, once=True)
RECORDED, PASS, ONLY = (
    rule("replay", 3, action="replay"),
    rule("pass", action="passthrough"),
    rule("only", action="capture_only"),
)

PRECEDENCE = [
    # session rules, case rules, policy, winner
    ([A], [], ALLOW, "a"),
    ([A, B], [], ALLOW, "b"),  # a later entry
    ([B, A], [], ALLOW, "a"),
    ([A], [B], ALLOW, "a"),  # session above case
    ([], [A, B], ALLOW, "b"),
    ([A], [HIGH], ALLOW, "high"),  # priority above layer
    ([HIGH, A], [], ALLOW, "high"),  # and above order
    ([LOW], [A], ALLOW, "a"),
    ([LOW], [], ALLOW, "low"),  # negative works when the policy lets pass
    ([LOW], [], STRICT, "refused"),  # and loses to a refusal
    ([A], [], STRICT, "a"),
    ([], [A], STRICT, "a"),
    ([LOW], [A], STRICT, "a"),
    ([ELSEWHERE], [], ALLOW, "miss"),
    ([ELSEWHERE], [], STRICT, "refused"),
    ([ELSEWHERE, A], [], STRICT, "a"),
    ([PASS], [], STRICT, "pass"),
    ([ONLY], [], STRICT, "only"),
    ([PASS, HIGH], [], STRICT, "high"),
    ([ONCE, A], [], ALLOW, "once"),
    ([RECORDED, A], [], ALLOW, "replay"),
    ([], [], ALLOW, "miss"),
    ([], [], STRICT, "refused"),
]


def decided(session, case, policy, *, exchange=None, spent=lambda rule: False, captured=lambda exchange: Response(201)):
    exchange = exchange or Exchange(direction="outbound", method="GET", authority="bank.example:1", target="/pay")
    return decide(compile_rules(session, case, policy), exchange, spent=spent, captured=captured)


def winner(decision):
    return decision.rule.label if decision.rule else str(decision.outcome)


@pytest.mark.parametrize(("session", "case", "policy", "wins"), PRECEDENCE)
def test_precedence(session, case, policy, wins):
    assert winner(decided(session, case, policy)) == wins


@pytest.mark.parametrize(
    ("session", "policy", "wins"),
    [([A, ONCE], ALLOW, "a"), ([ONCE], ALLOW, "miss"), ([ONCE], STRICT, "refused"), ([LOW, ONCE], STRICT, "refused")],
)
def test_spent_rule_gives_way_to_the_next_best(session, policy, wins):
    assert winner(decided(session, [], policy, spent=lambda rule: True)) == wins


@pytest.mark.parametrize(
    ("session", "policy", "wins"),
    [([A, RECORDED], ALLOW, "a"), ([RECORDED], ALLOW, "miss"), ([RECORDED], STRICT, "refused")],
)
def test_replay_that_finds_nothing_gives_way_to_the_next_best(session, policy, wins):
    assert winner(decided(session, [], policy, captured=lambda exchange: None)) == wins


def test_claims_and_turns_are_taken_for_the_winner_only():
    claimed, turns = [], []

    def spent(rule):
        claimed.append(rule.key)
        return rule.label == "first"

    def captured(exchange):
        turns.append(exchange.path)
        return Response(201)

    replay_once = {**rule("replay once", 4, action="replay"), "consume": "once"}
    session = [rule("first", 9, once=True), ELSEWHERE, ONCE, replay_once, RECORDED]
    assert winner(decided(session, [], ALLOW, spent=spent, captured=captured)) == "once"
    assert (claimed, turns) == (["session:0", "session:2"], [])
    decision = decided([replay_once, RECORDED], [], ALLOW, spent=lambda rule: True, captured=captured)
    assert winner(decision) == "replay" and turns == ["/pay"], "two replay rules take one turn"


POLICIES = [
    # policy, direction, authority, refused
    ({}, "outbound", "a.example", False),
    (STRICT, "outbound", "a.example", True),
    (STRICT, "", "a.example", True),
    (STRICT, "inbound", "a.example", False),
    ({"blockHosts": ["a.example"]}, "inbound", "a.example", False),
    ({"blockHosts": ["a.example"]}, "outbound", "API.A.example:443", True),
    ({"blockHosts": ["a.example"]}, "outbound", "ba.example", False),
    ({"blockHosts": ["a.example"], "allowHosts": ["a.example"]}, "outbound", "a.example", True),
    ({**STRICT, "allowHosts": ["A.example"]}, "outbound", "a.example:80", False),
    ({**STRICT, "externalAllowlist": ["a.example"]}, "outbound", "b.a.example", False),
    ({**STRICT, "externalAllowlist": ["a.example"], "allowHosts": ["b.example"]}, "outbound", "b.example", False),
    ({**STRICT, "allowHosts": [".a.example"]}, "outbound", "a.example", True),
    (STRICT, "outbound", "localhost:8080", True),
    ({**STRICT, "allowHosts": [""]}, "outbound", "", True),
    ({"defaultOnMiss": "error"}, "outbound", "a.example", True),
    ({"defaultOnMiss": "error", "externalHttp": "allow", "allowHosts": ["a.example"]}, "outbound", "a.example", False),
    ({"externalHttp": "allow", "defaultOnMiss": "passthrough", "note": 1}, "outbound", "a.example", False),
]


@pytest.mark.parametrize(("policy", "direction", "authority", "refused"), POLICIES)
def test_policy(policy, direction, authority, refused):
    exchange = Exchange(direction=direction, authority=authority, method="GET", target="/")
    outcome = decided([], [], policy, exchange=exchange).outcome
    assert outcome is (Outcome.REFUSED if refused else Outcome.MISS)


ANSWERS = [
    # then, outcome, status, headers, body, delay, counts as injected
    ({"action": "mock"}, "hit", 200, (), None, 0, True),
    (
        {"action": "mock", "response": {"status": 404, "body": "x", "headers": {"X-A": "1"}}},
        "hit",
        404,
        (("x-a", "1"),),
        "x",
        0,
        True,
    ),
    (
        {"action": "mock", "response": {"body": {"a": [1, None]}, "delayMs": 20}},
        "hit",
        200,
        (),
        '{"a":[1,null]}',
        20,
        True,
    ),
    ({"action": "mock", "response": {"body": False, "delayMs": 99_999_999}}, "hit", 200, (), "false", 30_000, True),
    ({"action": "mock", "response": {"body": None}}, "hit", 200, (), None, 0, True),
    ({"action": "replay"}, "hit", 201, (), None, 0, True),
    ({"action": "error", "error": {"status": 503, "body": "down"}}, "error", 503, "json", '{"error":"down"}', 0, False),
    ({"action": "error", "error": {"status": 418, "body": ["é"]}}, "error", 418, "json", '["é"]', 0, False),
    ({"action": "error", "error": {"status": 500, "delayMs": 5}}, "error", 500, "json", None, 5, False),
    ({"action": "error", "error": {"status": 404, "body": {}}}, "hit", 404, "json", "{}", 0, False),
    ({"action": "error", "error": {"status": 200, "body": "x"}}, "hit", 200, "json", '{"error":"x"}', 0, False),
    ({"action": "error", "error": {"status": 204, "body": "x"}}, "error", 204, "json", None, 0, False),
]


@pytest.mark.parametrize(("then", "outcome", "status", "headers", "body", "delay", "injected"), ANSWERS)
def test_answers(then, outcome, status, headers, body, delay, injected):
    decision = decided([{"when": {}, "then": then}], [], STRICT)
    expected = (("content-type", "application/json"),) if headers == "json" else headers
    assert decision.outcome == outcome and decision.injected is injected and decision.delay_ms == delay
    assert decision.response == Response(status, expected, Body(body) if body is not None else None)


def test_refusal_names_the_request_and_its_fingerprint():
    first = Exchange(method="put", authority="Bank.example:1", target="/ledger?a=1", body=Body("x"))
    body = refusal(first, "sess_1")
    assert body["sessionId"] == "sess_1" and "put Bank.example:1/ledger" in body["error"]
    assert (
        body["requestFingerprint"]
        == refusal(Exchange(method="PUT", authority="bank.example", target="/ledger?a=1", body=Body("x")), "sess_2")[
            "requestFingerprint"
        ]
    )
    assert (
        body["requestFingerprint"]
        != refusal(Exchange(method="PUT", authority="bank.example"), "")["requestFingerprint"]
    )
    assert strict_miss(first) == {"method": "put", "host": "bank.example", "path": "/ledger"}
