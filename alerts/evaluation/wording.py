"""The texts and numbers of an alert that fires now (contract: fleet console §10, alert texts)."""

from datetime import datetime
from typing import Any, NamedTuple

from alerts.evaluation.models import Verdict
from alerts.evaluation.readings import STALE_AFTER, Reading
from alerts.evaluation.sources import Fact
from alerts.rules import words
from alerts.rules.models import RuleType
from config import formats
from config.api.fields import milliseconds


class Text(NamedTuple):
    title: str
    message: str
    metadata: dict[str, Any]


def text_of(reading: Reading, now: datetime) -> Text:
    """Title, message and metadata; cut to what an alert holds."""
    if reading.verdict in (Verdict.STALE, Verdict.NO_DATA):
        found = _missing(reading)
    else:
        found = _TEXTS[RuleType(reading.rule.type)](reading, now)
    return Text(found.title[:300], found.message[:2000], found.metadata)


def _missing(reading: Reading) -> Text:
    rule, name = reading.rule, reading.subject.name
    condition = words.sentence(rule.type, rule.conditions)
    age = f"Nothing was reported within {formats.duration(STALE_AFTER.total_seconds())}"
    said = age if reading.verdict == Verdict.STALE else "Nothing that the rule needs was ever reported"
    return Text(
        f"No data from {name}: {rule.name}",
        f"{said} by {name}; the rule asks whether: {condition}. It alerts on missing data.",
        {"noData": True, "reason": str(reading.verdict)},
    )


def _threshold(reading: Reading, now: datetime) -> Text:
    wanted, name, value = reading.rule.conditions, reading.subject.name, reading.value or 0.0
    metric, limit, held_s = wanted["metric"], wanted["threshold"], wanted.get("duration_sec")
    said, shown = words.METRIC_WORDS[metric], words.with_unit(metric, limit)
    border = f"{words.OPERATOR_WORDS[wanted['operator']]} {shown}"
    lasting = f" for {formats.duration(held_s)}" if held_s else ""
    sign = words.OPERATORS[wanted["operator"]]
    return Text(
        f"{said} {border} on {name}",
        f"{said} on {name} is {words.with_unit(metric, value)}, {border}{lasting} (rule: {metric} {sign} {shown}).",
        {"metric": metric, "value": value, "threshold": limit, "operator": wanted["operator"]}
        | ({"durationSec": held_s} if held_s else {}),
    )


def _anomaly(reading: Reading, now: datetime) -> Text:
    wanted, name, found = reading.rule.conditions, reading.subject.name, reading.detail
    metric, window = wanted["metric"], formats.duration(wanted["window_sec"])
    said, allowed = words.METRIC_WORDS[metric], formats.percent(wanted["deviation_percent"])
    value, mean = (words.with_unit(metric, one) for one in (found.value, found.baseline))
    side = "above" if found.value > found.baseline else "below"
    return Text(
        f"{said} unusual on {name}",
        f"{said} on {name} is {value}, {formats.percent(found.percent)} {side} its mean of {mean} over {window} "
        f"(rule: {allowed} or more off).",
        {
            "metric": metric,
            "currentValue": found.value,
            "baseline": found.baseline,
            "deviationPercent": found.percent,
        },
    )


def _lifecycle(reading: Reading, now: datetime) -> Text:
    wanted, subject = reading.rule.conditions, reading.subject
    match wanted["event"]:
        case "heartbeat_lost":
            return _silence(reading, wanted["timeout_sec"])
        case "deploy_failed":
            return _fact(f"Deployment failed on {subject.name}", reading, {})
    looked_for = list(wanted.get("target_statuses") or ("ERROR", "UNKNOWN"))
    what = "is unresponsive" if wanted["event"] == "unresponsive" else f"became {subject.status.lower()}"
    return Text(
        f"{subject.name} {what}",
        f"The status of {subject.name} is {subject.status}; the rule looks for {' or '.join(looked_for)}.",
        {"status": subject.status, "targetStatuses": looked_for},
    )


def _silence(reading: Reading, timeout_s: int) -> Text:
    subject, age_s = reading.subject, int(reading.value or 0)
    if subject.last_seen_at:
        fact = f"{subject.name} was last heard {formats.duration(age_s)} ago"
    else:
        fact = f"{subject.name} has never reported since it was registered {formats.duration(age_s)} ago"
    return Text(
        f"Heartbeat lost: {subject.name}",
        f"{fact}; the rule allows {formats.duration(timeout_s)}.",
        {"lastHeartbeatAt": milliseconds(subject.last_seen_at), "ageSeconds": age_s, "timeoutSec": timeout_s},
    )


def _security(reading: Reading, now: datetime) -> Text:
    wanted = reading.rule.conditions
    return _fact(f"{words.CHECK_WORDS[wanted['check']]}: {reading.subject.name}", reading, {"check": wanted["check"]})


def _cost(reading: Reading, now: datetime) -> Text:
    wanted, name = reading.rule.conditions, reading.subject.name
    limit = wanted["budget_usd"] * wanted["threshold_percent"] / 100
    numbers = {"budgetUsd": wanted["budget_usd"], "period": wanted["period"], "spentUsd": reading.value}
    said = f"Cost of {name} {words.PERIOD_WORDS[wanted['period']]}"
    spent = f" is {words.usd(reading.value)}" if reading.value is not None else ""
    found = Text(
        f"Budget nearly used: {name}" if wanted["threshold_percent"] < 100 else f"Budget used up: {name}",
        f"{said}{spent}, at or above {words.usd(limit)} "
        f"({formats.percent(wanted['threshold_percent'])} of {words.usd(wanted['budget_usd'])}).",
        numbers | {"thresholdPercent": wanted["threshold_percent"]},
    )
    return found


def _fact(title: str, reading: Reading, metadata: dict[str, Any]) -> Text:
    fact: Fact = reading.detail
    rule = f"(rule: {words.sentence(reading.rule.type, reading.rule.conditions)})"
    counted = {} if fact.value is None else {"value": fact.value}
    return Text(title, f"{fact.text or title} {rule}.", metadata | counted | fact.metadata)


_TEXTS = {
    RuleType.THRESHOLD: _threshold,
    RuleType.ANOMALY: _anomaly,
    RuleType.LIFECYCLE: _lifecycle,
    RuleType.SECURITY: _security,
    RuleType.COST: _cost,
}
