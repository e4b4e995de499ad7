"""The signal that must fire a rule, sent in the way in which a machine's own would come."""

from datetime import datetime, timedelta
from typing import Any

from alerts.evaluation.sources import notice
from alerts.rules.conditions import FIGURES, HEARTBEAT_TIMEOUT_S, TARGET_STATUSES
from alerts.rules.models import Rule, RuleType
from fleet.instances.changes import note as note_event
from fleet.instances.models import Event, Instance
from fleet.metrics.services import Beat, Sample, accept
from security.keys import refusals

ACCEPTED_WITHIN_S = 10.0
STEP = timedelta(seconds=15)
UNITS = 100_000  # of memory or disk in all, so that a share is exact enough
CALM, CALM_RATE = 10.0, 10_000.0  # what is usual on the drill's machine: percent, bytes per second
BEFORE = 10  # samples of what is usual
REFUSALS = 6


def impossible(rule: Rule) -> str | None:
    """Why no signal can fire the rule; None when one can."""
    wanted = rule.conditions
    if missing := notice(rule):
        return missing
    if rule.type == RuleType.COST:
        return "Spending cannot be made for a drill."
    if rule.type == RuleType.SECURITY and wanted["check"] != "unauthorized_access":
        return "Vulnerabilities and secrets cannot be made for a drill."
    if rule.type == RuleType.THRESHOLD and _beyond(wanted) is None:
        return "No value can be on the wrong side of this limit, so the rule never fires."
    if rule.type == RuleType.ANOMALY and wanted["window_sec"] < BEFORE * 2:
        return "The window is too short for the samples of a drill."
    return None


def send(rule: Rule, instance: Instance, now: datetime) -> None:
    """Make the rule's condition true for the instance; over when it is stored."""
    wanted = rule.conditions
    if rule.type == RuleType.THRESHOLD:
        lasting = timedelta(seconds=wanted.get("duration_sec") or 0)
        _report(instance, now, wanted["metric"], [_beyond(wanted)] * (int(lasting / STEP) + 2), STEP)
    elif rule.type == RuleType.ANOMALY:
        _unusual(instance, now, wanted)
    elif rule.type == RuleType.SECURITY:
        for _ in range(REFUSALS):
            refusals.note(instance_id=instance.pk, now=now)
    else:
        _lifecycle(instance, now, wanted)


def needs_more(rule: Rule) -> bool:
    """Whether one signal is not enough: each look counts one new sample."""
    return rule.type == RuleType.THRESHOLD and rule.match_count > 1


def send_more(rule: Rule, instance: Instance, now: datetime) -> None:
    """One more sample like those before."""
    _report(instance, now, rule.conditions["metric"], [_beyond(rule.conditions)], STEP)


def _lifecycle(instance: Instance, now: datetime, wanted: dict[str, Any]) -> None:
    event = wanted["event"]
    if event == "deploy_failed":
        note_event(instance, Event.Type.DEPLOY, now=now, status="FAILED", error="A drill, not a deployment")
    elif event == "heartbeat_lost":
        silent = timedelta(seconds=wanted.get("timeout_sec", HEARTBEAT_TIMEOUT_S) + 1)
        Instance.objects.filter(pk=instance.pk).update(last_seen_at=now - silent)
    else:
        status = wanted.get("target_statuses", TARGET_STATUSES)[0] if event == "status_changed" else "ERROR"
        Instance.objects.filter(pk=instance.pk).update(status=status)


def _beyond(wanted: dict[str, Any]) -> float | None:
    """A value that breaks the limit, half-way to where the figure ends; None when there is none."""
    limit, above = wanted["threshold"], wanted["operator"] in ("gt", "gte")
    top = 100.0 if wanted["metric"].endswith("_percent") else limit * 2 + 10
    if wanted["operator"] in ("gte", "lte") and limit in (0, top):
        return float(limit)
    value = (limit + top) / 2 if above else limit / 2
    return value if (value > limit if above else value < limit) else None


def _unusual(instance: Instance, now: datetime, wanted: dict[str, Any]) -> None:
    """Samples of what is usual within the window, and a last one that is off by more than the rule allows."""
    factor = 1 + wanted["deviation_percent"] / 100 * 1.2
    step = min(STEP, timedelta(seconds=wanted["window_sec"]) / (BEFORE + 2))
    if wanted["metric"].endswith("_percent"):
        usual = min(CALM, 99 / factor)
        _report(instance, now, wanted["metric"], [usual] * BEFORE + [usual * factor], step)
        return
    rates, total, values = [CALM_RATE] * BEFORE + [CALM_RATE * factor], 0.0, []
    for rate in rates:
        total += rate * step.total_seconds()
        values.append(total)
    _report(instance, now, wanted["metric"], values, step)


def _report(instance: Instance, now: datetime, metric: str, values: list[Any], step: timedelta) -> None:
    """Samples up to now, as an agent sends what it kept while it was away."""
    first = now - step * (len(values) - 1)
    beats = [
        Beat(instance_id=instance.pk, at=first + step * number, sample=_sample(metric, value), replayed=True)
        for number, value in enumerate(values)
    ]
    accept(beats).result(timeout=ACCEPTED_WITHIN_S)


def _sample(metric: str, value: float) -> Sample:
    sample, name = Sample(), FIGURES[metric]
    if name in ("mem_pct", "disk_pct"):
        kind = name.partition("_")[0]
        setattr(sample, f"{kind}_used", round(value * UNITS / 100))
        setattr(sample, f"{kind}_total", UNITS)
    elif name.startswith("net_"):
        setattr(sample, name.removesuffix("_bps"), round(value))
    else:
        setattr(sample, name, value)
    return sample
