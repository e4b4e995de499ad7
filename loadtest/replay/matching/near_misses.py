"""Why a rule did not answer: each predicate with what it wanted and what it saw."""

import json
from dataclasses import dataclass
from typing import Any

from loadtest.replay.matching.compiled import Rule, RuleSet
from loadtest.replay.spans.exchange import Exchange

LONGEST_SEEN = 500  # characters of a value shown to a person


@dataclass(frozen=True)
class Finding:
    """One predicate of one rule against one request."""

    key: str
    wanted: Any
    seen: Any
    holds: bool


@dataclass(frozen=True)
class Report:
    """A rule against one request."""

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
        return {
            "rule": self.rule.key,
            "label": self.rule.label,
            "action": self.rule.action,
            "priority": self.rule.priority,
            "matches": self.matches,
            "predicates": [
                {"key": each.key, "wanted": each.wanted, "seen": each.seen, "holds": each.holds}
                for each in self.findings
            ],
        }


def explain(ruleset: RuleSet, exchange: Exchange) -> list[Report]:
    """A report on every rule, the nearest first: matching ones in order of winning, then by failed predicates.

    Among rules with as many failures the one of which more held is nearer, then the one that would win.
    """
    reports = [_report(rule, exchange) for rule in ruleset.rules]
    return sorted(reports, key=lambda report: (len(report.failed), -len(report.findings) if report.failed else 0))


def _report(rule: Rule, exchange: Exchange) -> Report:
    return Report(
        rule,
        tuple(
            Finding(each.key, each.wanted, _shown(each.seen(exchange)), each.holds(exchange))
            for each in rule.predicates
        ),
    )


def _shown(seen: Any) -> Any:
    """What was seen, cut short, as something that every answer can hold."""
    if isinstance(seen, str) and len(seen) > LONGEST_SEEN:
        seen = seen[:LONGEST_SEEN] + "…"
    try:
        told = json.dumps(seen, ensure_ascii=False, allow_nan=False)
        told.encode()
    except ValueError:  # a body may hold NaN and halves of characters
        return json.dumps(seen)[:LONGEST_SEEN]
    return seen if isinstance(seen, str) or len(told) <= LONGEST_SEEN else told[:LONGEST_SEEN] + "…"
