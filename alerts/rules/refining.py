"""What a rule may add to its condition, and what contradicts it."""

import re
from typing import Any

from alerts.rules.models import Rule, RuleType
from alerts.rules.words import PERCENT
from config.api.errors import Invalid

LABEL = re.compile(r"[A-Za-z_][A-Za-z0-9_]{0,62}", re.ASCII)
MOST_LABELS, LONGEST_LABEL = 20, 256


def check(rule: Rule) -> None:
    """Raises Invalid, with the API's names as paths, when the parts of a rule contradict each other."""
    if rule.instance_id and rule.team_id:
        raise _invalid("teamId", "A rule is about one instance or about those of a team, not both.")
    if rule.match_count > rule.match_window:
        raise _invalid("matchCount", f"At most {rule.match_window}, the number of looks that are counted.")
    _check_clear(rule)
    _check_labels(rule.labels)


def _check_clear(rule: Rule) -> None:
    """The clear threshold lies on the good side of the limit; other types have none."""
    clear = rule.clear_threshold
    if clear is None:
        return
    if rule.type == RuleType.ANOMALY:
        if clear > (limit := rule.conditions["deviation_percent"]):
            raise _invalid("clearThreshold", f"At most the deviation of {limit:g} percent, else it ends at once.")
    elif rule.type != RuleType.THRESHOLD:
        raise _invalid("clearThreshold", "Only THRESHOLD and ANOMALY rules have a figure to end at.")
    else:
        limit, above = rule.conditions["threshold"], rule.conditions["operator"] in ("gt", "gte")
        if clear > limit if above else clear < limit:
            word = "most" if above else "least"
            raise _invalid("clearThreshold", f"At {word} {limit:g}, the limit itself, else what fires ends at once.")
        if rule.conditions["metric"] in PERCENT and clear > 100:
            raise _invalid("clearThreshold", "A percentage is at most 100.")


def _check_labels(labels: Any) -> None:
    if not isinstance(labels, dict) or len(labels) > MOST_LABELS:
        raise _invalid("labels", f"At most {MOST_LABELS} names with values.")
    for name, value in labels.items():
        if not LABEL.fullmatch(name):
            raise _invalid("labels", f"{name[:64]!r} is no label: letters, digits and underscores, at most 63.")
        if not isinstance(value, str) or len(value) > LONGEST_LABEL or "\x00" in value:
            raise _invalid("labels", f"The value of {name} must be text of at most {LONGEST_LABEL} characters.")


def _invalid(field: str, sentence: str) -> Invalid:
    return Invalid(sentence, details={field: [sentence]})
