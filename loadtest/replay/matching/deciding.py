"""Which rule answers a request (contract §7.2 to §7.4)."""

from collections.abc import Callable
from dataclasses import dataclass
from enum import StrEnum
from typing import Any

from loadtest.replay.matching.compiled import Rule, RuleSet
from loadtest.replay.spans.exchange import Exchange, Response


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
    another one had. `captured` is asked for a `replay` rule that is about to win: the next captured response, None
    when the case has none. Either way out the next best rule is taken. No rule, no call: a miss reads no database.
    """
    raise NotImplementedError


def fingerprint(exchange: Exchange) -> str:
    """Hex SHA-256 over method, host, path and body: the same request has the same one."""
    raise NotImplementedError


def refusal(exchange: Exchange, session_id: str) -> dict[str, Any]:
    """The JSON body of a strict miss (§7.4); it goes with 599 and `x-softprobe-strict-miss: 1`."""
    raise NotImplementedError


def strict_miss(exchange: Exchange) -> dict[str, str]:
    """`lastStrictMiss`: method, host and path."""
    raise NotImplementedError
