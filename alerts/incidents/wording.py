"""An alert told as a sentence, with what is known at this moment."""

from datetime import datetime, timedelta

from alerts.incidents.models import Alert, Source
from alerts.rules import conditions, words
from alerts.rules.models import RuleType
from config import formats

STALE = timedelta(minutes=5)


def sentence(alert: Alert, now: datetime) -> str:
    """`CPU on web-7 has been above 90 % for 12 min; now 94 %.`"""
    facts = alert.metadata or {}
    lasted = formats.duration(int(((alert.resolved_at or now) - alert.fired_at).total_seconds()))
    message = alert.message[:1].upper() + alert.message[1:].rstrip(".")
    what = f"{message}. {'Open for' if alert.is_open else 'It was open for'}"
    if alert.source == Source.MONITOR:
        bad = f"{alert.occurrences} bad run{'s' if alert.occurrences > 1 else ''}"
        return f"{what} {lasted}, {bad}."
    if alert.type != RuleType.THRESHOLD or "metric" not in facts:
        return f"{what} {lasted}."
    metric = facts["metric"]
    held = timedelta(seconds=facts.get("durationSec", 0)) + ((alert.resolved_at or now) - alert.fired_at)
    border = f"{words.OPERATOR_WORDS[facts['operator']]} {words.with_unit(metric, facts['threshold'])}"
    what = f"{words.METRIC_WORDS[metric]} on {alert.subject}"
    if not alert.is_open:
        return f"{what} was {border} for {formats.duration(int(held.total_seconds()))}."
    return f"{what} has been {border} for {formats.duration(int(held.total_seconds()))}; {_now(alert, metric, now)}."


def _now(alert: Alert, metric: str, now: datetime) -> str:
    sample = (alert.instance.last_sample if alert.instance else None) or {}
    value = sample.get(conditions.FIGURES[metric])
    if value is None:
        return "the value now is unknown"
    text, age = words.with_unit(metric, value), now - datetime.fromisoformat(sample["at"])
    if age > STALE:
        return f"the last known value is {text}, {formats.duration(int(age.total_seconds()))} old"
    return f"now {text}"
