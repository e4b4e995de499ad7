"""SECURITY, COST and deploy_failed: verdicts from the facts that the registered sources know."""

from collections import defaultdict
from collections.abc import Iterator
from datetime import datetime

from alerts.evaluation.models import Verdict
from alerts.evaluation.readings import Reading, Subjects, about, missing
from alerts.evaluation.sources import name_of, source_of
from alerts.rules.models import Rule


def readings(rules: list[Rule], subjects: Subjects, now: datetime) -> Iterator[Reading]:
    """All rules over all instances; each source is asked once."""
    by_name: dict[str, list[Rule]] = defaultdict(list)
    for rule in rules:
        if name := name_of(rule):
            by_name[name].append(rule)
    for name, asking in by_name.items():
        source = source_of(name)
        facts = source([rule.conditions for rule in asking], list(subjects), now) if source else [{}] * len(asking)
        for rule, known in zip(asking, facts, strict=True):
            for subject in about(rule, subjects):
                fact = known.get(subject.id)
                if fact is None:
                    gap = missing(rule, subject, Verdict.NO_DATA)
                    yield gap if source else gap._replace(expected=False)
                else:
                    verdict = Verdict.TRUE if fact.holds else Verdict.FALSE
                    yield Reading(rule, subject, verdict, fact.value, fact)
