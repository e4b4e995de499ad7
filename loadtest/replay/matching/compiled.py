"""Rules and policy made ready for matching, once a revision (contract §7.1, §7.2 and §7.4)."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from enum import IntEnum
from typing import Any

from loadtest.replay.matching.predicates import Predicate, is_below, predicates
from loadtest.replay.spans.exchange import Exchange


class Layer(IntEnum):
    """Low to high (§7.2)."""

    POLICY = 0
    CASE = 1
    SESSION = 2


@dataclass(frozen=True)
class Rule:
    """A rule of a session or case. `key` is stable within a revision: "session:3", "case:0"; once claims use it."""

    layer: Layer
    index: int
    label: str  # `id`, else `name`, else ""
    priority: int
    once: bool
    predicates: tuple[Predicate, ...]
    action: str  # mock, error, passthrough, capture_only, replay
    then: Mapping[str, Any]  # as it was given

    @property
    def key(self) -> str:
        return f"{self.layer.name.lower()}:{self.index}"

    def holds(self, exchange: Exchange) -> bool:
        return all(predicate.holds(exchange) for predicate in self.predicates)


@dataclass(frozen=True)
class Policy:
    """What happens when no rule decides (§7.4). Hosts are written in lower case."""

    strict: bool = False
    refuse_on_miss: bool = False
    allowed: tuple[str, ...] = ()
    blocked: tuple[str, ...] = ()

    def refuses(self, exchange: Exchange) -> bool:
        """True where an outbound call (or one of no stated direction) may not leave."""
        if exchange.direction == "inbound":
            return False
        if any(is_below(exchange.host, entry) for entry in self.blocked):
            return True
        if any(is_below(exchange.host, entry) for entry in self.allowed):
            return False
        return self.strict or self.refuse_on_miss


@dataclass(frozen=True)
class RuleSet:
    """Immutable; rules stand in the order in which they win: priority, layer, later entry first."""

    rules: tuple[Rule, ...]
    policy: Policy


def compile_rules(
    session_rules: Sequence[Mapping[str, Any]],
    case_rules: Sequence[Mapping[str, Any]],
    policy: Mapping[str, Any],
) -> RuleSet:
    """The rule set of a revision, from documents that passed `documents.checks`. The caller caches it."""
    found = [*_rules(Layer.CASE, case_rules), *_rules(Layer.SESSION, session_rules)]
    found.sort(key=lambda rule: (rule.priority, rule.layer, rule.index), reverse=True)
    return RuleSet(tuple(found), _policy(policy))


def _rules(layer: Layer, written: Sequence[Mapping[str, Any]]) -> Iterator[Rule]:
    for index, rule in enumerate(written):
        yield Rule(
            layer=layer,
            index=index,
            label=rule.get("id") or rule.get("name") or "",
            priority=int(rule.get("priority", 0)),
            once=rule.get("consume") == "once",
            predicates=tuple(predicates(rule["when"])),
            action=rule["then"]["action"],
            then=rule["then"],
        )


def _policy(policy: Mapping[str, Any]) -> Policy:
    return Policy(
        strict=policy.get("externalHttp") == "strict",
        refuse_on_miss=policy.get("defaultOnMiss") == "error",
        allowed=_hosts(*policy.get("externalAllowlist", ()), *policy.get("allowHosts", ())),
        blocked=_hosts(*policy.get("blockHosts", ())),
    )


def _hosts(*entries: str) -> tuple[str, ...]:
    return tuple(entry.strip().lower().removesuffix(".") for entry in entries if entry.strip())
