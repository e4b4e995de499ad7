"""Which rule answers a request (contract §7.2 to §7.4)."""

import hashlib
from collections.abc import Callable
from dataclasses import dataclass
from enum import StrEnum
from functools import cache
from typing import Any

from loadtest.replay.matching import answers
from loadtest.replay.matching.compiled import Rule, RuleSet
from loadtest.replay.spans.exchange import Exchange, Response

LONGEST_DELAY_MS = 30_000


class Outcome(StrEnum):
    """What the proxy is told (§7.3)."""

    HIT = "hit"  # 200 with the response; counts as injected when `injected`
    ERROR = "error"  # HTTP status and JSON of the response
    REFUSED = "refused"  # 599, counts as strict miss
    MISS = "miss"  # 404, the proxy forwards


@dataclass(frozen=True)
class Decision:
    """`rule` is the winner, None where the policy decided. `response` belongs to HIT and ERROR."""

    outcome: Outcome
    rule: Rule | None = None
    response: Response | None = None
    delay_ms: int = 0

    @property
    def injected(self) -> bool:
        """True for `mock` and `replay`: they add one to `injectedSpans`, an `error` does not."""
        return self.outcome is Outcome.HIT and self.rule is not None and self.rule.action != "error"


def decide(
    ruleset: RuleSet,
    exchange: Exchange,
    *,
    spent: Callable[[Rule], bool],
    captured: Callable[[Exchange], Response | None],
) -> Decision:
    """The decision on a request.

    `spent` is asked for a `once` rule that is about to win and claims it: False when this call took it, True when
    another one had. `captured` is asked for a `replay` rule that is about to win, at most once a decision: the next
    captured response, None when the case has none. Either way out the next best rule is taken. When no such rule
    matches neither is called: a plain miss reads no database.
    """
    refuses = ruleset.policy.refuses(exchange)
    recorded = cache(lambda: captured(exchange))  # two replay rules must not take two turns
    for rule in ruleset.rules:
        if refuses and rule.priority < 0:
            break
        if not rule.holds(exchange) or (rule.action == "replay" and recorded() is None):
            continue
        if rule.once and spent(rule):
            continue
        return _won(rule, recorded)
    return Decision(Outcome.REFUSED if refuses else Outcome.MISS)


def _won(rule: Rule, recorded: Callable[[], Response | None]) -> Decision:
    match rule.action:
        case "mock":
            told = rule.then.get("response", {})
            return Decision(Outcome.HIT, rule, answers.mocked(told), _delay(told))
        case "replay":
            return Decision(Outcome.HIT, rule, recorded())
        case "error":
            told = rule.then["error"]
            answer = answers.failed(told)
            outcome = Outcome.HIT if answers.is_misread(answer.status) else Outcome.ERROR
            return Decision(outcome, rule, answer, _delay(told))
        case _:
            return Decision(Outcome.MISS, rule)


def _delay(told: Any) -> int:
    return min(int(told.get("delayMs", 0)), LONGEST_DELAY_MS)


def fingerprint(exchange: Exchange) -> str:
    """Hex SHA-256 over method, host, path and body: the same request has the same one."""
    parts = [exchange.method.upper(), exchange.host, exchange.target]
    told = b"\0".join(part.encode(errors="surrogatepass") for part in parts)
    return hashlib.sha256(told + b"\0" + exchange.body_bytes).hexdigest()


def refusal(exchange: Exchange, session_id: str) -> dict[str, Any]:
    """The JSON body of a strict miss (§7.4); it goes with 599 and `x-softprobe-strict-miss: 1`."""
    called = f"{exchange.method} {exchange.authority}{exchange.path}".strip()
    return {
        "error": f"no rule answers {called} and the policy of the session does not let it pass"[:2_000],
        "sessionId": session_id,
        "requestFingerprint": fingerprint(exchange),
    }


def strict_miss(exchange: Exchange) -> dict[str, str]:
    """`lastStrictMiss`: method, host and path."""
    return {"method": exchange.method, "host": exchange.host, "path": exchange.path}
