"""LIFECYCLE: whether an instance speaks, and the status it has (contract: fleet console §10)."""

from collections.abc import Iterator
from datetime import datetime

from alerts.evaluation.models import Verdict
from alerts.evaluation.readings import Reading, Subject, Subjects, about
from alerts.rules.models import Rule
from fleet.instances.models import Status

WATCHED = (Status.RUNNING, Status.ERROR)
UNRESPONSIVE = (Status.ERROR.value, Status.UNKNOWN.value)


def readings(rules: list[Rule], subjects: Subjects, now: datetime) -> Iterator[Reading]:
    """All rules over all instances, from the rows that are read already."""
    for rule in rules:
        wanted = rule.conditions
        for subject in about(rule, subjects):
            if wanted["event"] == "heartbeat_lost":
                yield _silence(rule, subject, wanted["timeout_sec"], now)
            else:
                true = subject.status in statuses(wanted)
                yield Reading(rule, subject, Verdict.TRUE if true else Verdict.FALSE)


def statuses(wanted: dict) -> tuple[str, ...]:
    """The statuses that the condition looks for."""
    return tuple(wanted["target_statuses"]) if wanted["event"] == "status_changed" else UNRESPONSIVE


def _silence(rule: Rule, subject: Subject, timeout_s: int, now: datetime) -> Reading:
    """Its value is the age of the newest heartbeat. One that never reported has its timeout from its registration."""
    age_s = (now - (subject.last_seen_at or subject.created_at)).total_seconds()
    true = subject.status in WATCHED and age_s >= timeout_s
    return Reading(rule, subject, Verdict.TRUE if true else Verdict.FALSE, max(0.0, age_s))
