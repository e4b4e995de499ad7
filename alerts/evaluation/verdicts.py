"""Whether rules hold for instances right now: plain rules over what was read (contract: fleet console §10)."""

import operator
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from alerts.rules import conditions
from alerts.rules.models import Rule, RuleType
from config import formats
from config.api.fields import milliseconds
from fleet.instances.models import Status

STALE = timedelta(minutes=5)
SHARE = 0.8  # of a rule's duration that samples must span
HOLDS: dict[str, Callable[[float, float], bool]] = {
    "gt": operator.gt,
    "gte": operator.ge,
    "lt": operator.lt,
    "lte": operator.le,
}


@dataclass(frozen=True)
class Subject:
    """What a rule is judged by: an instance as its row tells it."""

    id: str
    name: str
    status: str
    team_id: str | None
    created_at: datetime
    last_seen_at: datetime | None
    last_sample: dict[str, Any] | None


@dataclass(frozen=True)
class Verdict:
    """`holds` None: not known, so nothing fires and nothing ends. The texts are those of an alert that fires now."""

    holds: bool | None
    title: str = ""
    message: str = ""
    metadata: dict[str, Any] | None = None


NO = Verdict(holds=False)
UNKNOWN = Verdict(holds=None)


def judge(rule: Rule, subject: Subject, now: datetime) -> Verdict:
    """One rule over one instance, without regard to the rule's duration."""
    if rule.type == RuleType.THRESHOLD:
        return _threshold(rule.conditions, subject, now)
    match rule.conditions["event"]:
        case "heartbeat_lost":
            return _heartbeat_lost(rule.conditions, subject, now)
        case "unresponsive":
            return _in_status(subject, [Status.ERROR, Status.UNKNOWN], "is unresponsive")
        case _:
            wanted = rule.conditions["target_statuses"]
            return _in_status(subject, wanted, f"became {subject.status.lower()}")


def _threshold(wanted: dict[str, Any], subject: Subject, now: datetime) -> Verdict:
    metric, limit = wanted["metric"], wanted["threshold"]
    value = (subject.last_sample or {}).get(conditions.FIGURES[metric])
    if value is None or now - datetime.fromisoformat(subject.last_sample["at"]) > STALE:
        return UNKNOWN
    if not HOLDS[wanted["operator"]](value, limit):
        return NO
    words, held_s = conditions.METRIC_WORDS[metric], wanted.get("duration_sec")
    border = f"{conditions.OPERATOR_WORDS[wanted['operator']]} {conditions.with_unit(metric, limit)}"
    lasting = f" for {formats.duration(held_s)}" if held_s else ""
    sign = conditions.OPERATORS[wanted["operator"]]
    return Verdict(
        holds=True,
        title=f"{words} {border} on {subject.name}",
        message=(
            f"{words} on {subject.name} is {conditions.with_unit(metric, value)}, {border}{lasting} "
            f"(rule: {metric} {sign} {conditions.with_unit(metric, limit)})."
        ),
        metadata={"metric": metric, "value": value, "threshold": limit, "operator": wanted["operator"]}
        | ({"durationSec": held_s} if held_s else {}),
    )


def _heartbeat_lost(wanted: dict[str, Any], subject: Subject, now: datetime) -> Verdict:
    """One that never reported has its timeout from when it was made known."""
    if subject.status not in (Status.RUNNING, Status.ERROR):
        return NO
    timeout_s = wanted["timeout_sec"]
    age_s = int((now - (subject.last_seen_at or subject.created_at)).total_seconds())
    if age_s < timeout_s:
        return NO
    if subject.last_seen_at:
        fact = f"{subject.name} was last heard {formats.duration(age_s)} ago"
    else:
        fact = f"{subject.name} has never reported since it was registered {formats.duration(age_s)} ago"
    return Verdict(
        holds=True,
        title=f"Heartbeat lost: {subject.name}",
        message=f"{fact}; the rule allows {formats.duration(timeout_s)}.",
        metadata={
            "lastHeartbeatAt": milliseconds(subject.last_seen_at),
            "ageSeconds": age_s,
            "timeoutSec": timeout_s,
        },
    )


def _in_status(subject: Subject, wanted: list[str], what: str) -> Verdict:
    if subject.status not in wanted:
        return NO
    statuses = [str(status) for status in wanted]
    return Verdict(
        holds=True,
        title=f"{subject.name} {what}",
        message=f"The status of {subject.name} is {subject.status}; the rule looks for {' or '.join(statuses)}.",
        metadata={"status": subject.status, "targetStatuses": statuses},
    )
