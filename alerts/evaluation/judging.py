"""All readings of a pass: one evaluator a type of rule, each with a fixed number of reads (fleet console §10)."""

from collections.abc import Iterator
from datetime import datetime

from alerts.evaluation import anomaly, facts, lifecycle, threshold
from alerts.evaluation.readings import Newest, Reading, Subjects
from alerts.evaluation.sources import name_of
from alerts.rules.models import Rule, RuleType


def readings(rules: list[Rule], subjects: Subjects, now: datetime) -> Iterator[Reading]:
    """Each rule over each subject that it looks at, once."""
    newest = Newest(subjects, now)
    by_facts = [rule for rule in rules if name_of(rule)]
    yield from threshold.readings([rule for rule in rules if rule.type == RuleType.THRESHOLD], subjects, newest, now)
    yield from anomaly.readings([rule for rule in rules if rule.type == RuleType.ANOMALY], subjects, newest, now)
    plain = [rule for rule in rules if rule.type == RuleType.LIFECYCLE and not name_of(rule)]
    yield from lifecycle.readings(plain, subjects, now)
    yield from facts.readings(by_facts, subjects, now)
