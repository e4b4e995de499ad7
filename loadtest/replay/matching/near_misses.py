"""Why a rule did not answer: each predicate with what it wanted and what it saw."""

from dataclasses import dataclass
from typing import Any

from loadtest.replay.matching.compiled import Rule, RuleSet
from loadtest.replay.spans.exchange import Exchange


@dataclass(frozen=True)
class Finding:
    """One predicate of one rule against one request."""

    key: str
    wanted: Any
    seen: Any
    holds: bool


@dataclass(frozen=True)
class Report:
    rule: Rule
    findings: tuple[Finding, ...]

    @property
    def matches(self) -> bool:
        return all(finding.holds for finding in self.findings)

    @property
    def failed(self) -> tuple[Finding, ...]:
        return tuple(finding for finding in self.findings if not finding.holds)

    def as_json(self) -> dict[str, Any]:
        """`{"rule", "label", "action", "priority", "matches", "predicates": [{"key", "wanted", "seen", "holds"}]}`."""
        raise NotImplementedError


def explain(ruleset: RuleSet, exchange: Exchange) -> list[Report]:
    """A report on every rule, the nearest first: matching ones in order of winning, then by failed predicates."""
    raise NotImplementedError
