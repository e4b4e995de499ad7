"""Where rules find facts that no sample tells: vulnerabilities, secrets, refusals, deployments, spending.

Whoever keeps such facts registers one function under the name that conditions use, from its app's `ready`. Without
one, a rule is accepted and its verdict is "no data", never "fine".
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from alerts.rules.models import Rule, RuleType

SPEND = "spend"
REPORTERS = {
    "cve_detected": "vulnerabilities",
    "secret_expired": "secrets and rotations",
    "unauthorized_access": "refused authentications",
    "deploy_failed": "deployments",
    SPEND: "costs",
}


@dataclass(frozen=True)
class Fact:
    """What is known of one instance: whether the condition holds, a figure, a sentence for the alert, its numbers."""

    holds: bool
    value: float | None = None
    text: str = ""
    metadata: dict[str, Any] = field(default_factory=dict)


# Given the conditions of several rules, the ids of the instances, and the moment: for each condition the facts by
# instance id; of "fleet" for spending of all together. Who is missing there is unknown. One read, not one a rule.
Source = Callable[[Sequence[Mapping[str, Any]], Sequence[str], datetime], Sequence[Mapping[str, Fact]]]

_sources: dict[str, Source] = {}


def register(name: str, source: Source) -> None:
    """`name` is a key of REPORTERS; a second registration replaces the first."""
    if name not in REPORTERS:
        raise ValueError(f"{name}: no rule asks for this")
    _sources[name] = source


def source_of(name: str) -> Source | None:
    return _sources.get(name)


def name_of(rule: Rule) -> str | None:
    """The facts that a rule needs; None when samples and rows of instances tell all."""
    if rule.type == RuleType.SECURITY:
        return rule.conditions["check"]
    if rule.type == RuleType.COST:
        return SPEND
    return "deploy_failed" if rule.conditions.get("event") == "deploy_failed" else None


def notice(rule: Rule) -> str | None:
    """Why a rule cannot find anything in this installation; None when it can."""
    name = name_of(rule)
    if name is None or name in _sources:
        return None
    return f"Nothing reports {REPORTERS[name]} yet, so this rule has no data to judge by."
