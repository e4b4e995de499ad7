"""The blanks in a rule's sentence, by its type: the words before each, its field, its name in the conditions."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from django import forms

from alerts.rules.conditions import CVE_SEVERITIES, DEVIATING, HEARTBEAT_TIMEOUT_S, LEVELS, STATUSES
from alerts.rules.models import RuleType
from alerts.rules.words import METRIC_WORDS

OPERATORS = [("gt", "is above"), ("gte", "is at or above"), ("lt", "is below"), ("lte", "is at or below")]
EVENTS = [
    ("heartbeat_lost", "it stops reporting"),
    ("unresponsive", "it is in error or unknown"),
    ("status_changed", "its status becomes one of"),
    ("deploy_failed", "its newest deployment has failed"),
]
CHECKS = [
    ("unauthorized_access", "5 authentications are refused within 10 min"),
    ("cve_detected", "it has an open vulnerability"),
    ("secret_expired", "a secret of it has expired or is due"),
]
PERIODS = [("daily", "today"), ("weekly", "this week"), ("monthly", "this month")]


@dataclass(frozen=True)
class Blank:
    """`wire` is the name in the conditions, `build` makes a new field."""

    before: str
    field: str
    wire: str
    build: Callable[[], forms.Field]


def _choice(label: str, choices: list[tuple[str, str]], **more: Any) -> Callable[[], forms.Field]:
    return lambda: forms.ChoiceField(choices=choices, label=label, **more)


def _whole(label: str, least: int, most: int, help_text: str = "", **more: Any) -> Callable[[], forms.Field]:
    return lambda: forms.IntegerField(min_value=least, max_value=most, label=label, help_text=help_text, **more)


def _number(label: str, help_text: str = "") -> Callable[[], forms.Field]:
    return lambda: forms.FloatField(label=label, help_text=help_text)


def _statuses() -> forms.Field:
    return forms.MultipleChoiceField(
        choices=STATUSES, required=False, widget=forms.CheckboxSelectMultiple, label="Statuses",
        help_text="When its status becomes one of these. Error and unknown if none is ticked.",
    )  # fmt: skip


def _metrics(names: tuple[str, ...]) -> list[tuple[str, str]]:
    return [(name, METRIC_WORDS[name]) for name in names]


BLANKS: dict[RuleType, tuple[Blank, ...]] = {
    RuleType.THRESHOLD: (
        Blank("", "metric", "metric", _choice("When", _metrics(LEVELS))),
        Blank("", "operator", "operator", _choice("Compared", OPERATORS)),
        Blank("", "threshold", "threshold", _number("Limit", "In percent from 0 to 100; a load average up to 10,000.")),
        Blank("for", "duration_s", "duration_sec", _whole(
            "For how long, seconds", 0, 3600, required=False,
            help_text="Every sample of that time must break the limit. Empty: the newest sample is enough.",
        )),
    ),
    RuleType.ANOMALY: (
        Blank("", "metric", "metric", _choice("When", _metrics(DEVIATING))),
        Blank("is off by", "deviation_percent", "deviation_percent", _number("Off by, percent", "1 to 1,000.")),
        Blank("from its mean of the last", "window_s", "window_sec", _whole(
            "Mean of the last, seconds", 60, 86_400, initial=3600, help_text="The newest sample is not counted in.",
        )),
    ),
    RuleType.LIFECYCLE: (
        Blank("", "event", "event", _choice("When", EVENTS)),
        Blank("for", "timeout_s", "timeout_sec", _whole(
            "Silent for, seconds", 30, 3600, required=False,
            help_text=f"When it stops reporting. {HEARTBEAT_TIMEOUT_S} if empty.",
        )),
        Blank("", "statuses", "target_statuses", _statuses),
    ),
    RuleType.SECURITY: (
        Blank("", "check", "check", _choice("When", CHECKS)),
        Blank("of severity", "severity_threshold", "severity_threshold", _choice(
            "At least of severity", [(name, name.title()) for name in CVE_SEVERITIES], required=False, initial="HIGH",
            help_text="Of vulnerabilities only.",
        )),
    ),
    RuleType.COST: (
        Blank("When the cost of", "period", "period", _choice("Cost of", PERIODS, initial="monthly")),
        Blank("reaches", "threshold_percent", "threshold_percent", _number("Share of it, percent", "1 to 100.")),
        Blank("of a budget of", "budget_usd", "budget_usd", _number("Budget, USD")),
    ),
}  # fmt: skip
