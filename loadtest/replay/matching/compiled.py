"""Rules and policy made ready for matching, once a revision (contract §7.1 and §7.2)."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from enum import IntEnum
from typing import Any

from loadtest.replay.spans.exchange import Exchange


class Layer(IntEnum):
    """Low to high (§7.2)."""

    POLICY = 0
    CASE = 1
    SESSION = 2


@dataclass(frozen=True)
class Predicate:
    """One key of `when`: holds or not, and what it saw."""

    key: str  # as in `when`, a member behind a dot: "headers.accept"
    wanted: Any
    holds: Callable[[Exchange], bool]
    seen: Callable[[Exchange], Any]  # for people; None where the request has nothing of the kind


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
    """What happens when no rule decides (§7.4)."""

    strict: bool = False
    refuse_on_miss: bool = False
    allowed: tuple[str, ...] = ()
    blocked: tuple[str, ...] = ()

    def refuses(self, exchange: Exchange) -> bool:
        raise NotImplementedError


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
    raise NotImplementedError
