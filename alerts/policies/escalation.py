"""Escalation: the steps of an alert's policy, one after the other, until somebody takes the alert on."""

from collections import defaultdict
from collections.abc import Iterable
from datetime import datetime, timedelta

from django.db import transaction

from alerts.channels.models import Kind
from alerts.incidents.models import Alert, AlertEvent, Hold, Status
from alerts.notices.services import announce, write
from alerts.policies.models import PolicyStep
from alerts.policies.oncall import on_call

BATCH = 500


def begin(alerts: Iterable[Alert], *, now: datetime) -> None:
    """Start the policies of alerts at their first steps, where there is one and people may be told."""
    by_policy: dict[str, list[Alert]] = defaultdict(list)
    for alert in alerts:
        if alert.policy_id and alert.status == Status.ACTIVE and not alert.held:
            by_policy[alert.policy_id].append(alert)
    for found in by_policy.values():
        if steps := _steps(found[0]):
            _start(found, steps[0], now)


def _start(alerts: list[Alert], first: PolicyStep, now: datetime) -> None:
    due = now + timedelta(seconds=first.after_s)
    Alert.objects.filter(pk__in=[alert.pk for alert in alerts]).update(next_step=0, next_step_at=due)
    for alert in alerts:
        alert.next_step, alert.next_step_at = 0, due
    if first.after_s == 0:
        told: list[Alert] = []
        for alert in alerts:
            _step(alert, now, told)
        announce(told, now=now, at_once=True)


def escalate_due(*, now: datetime) -> int:
    """Take the steps whose time has come, of alerts that nobody has taken on; how many."""
    due = Alert.objects.filter(next_step_at__lte=now, status=Status.ACTIVE, held=Hold.NONE)
    if not due.exists():  # asked each second: the wide query below costs three times as much to write down
        return 0
    due = due.select_related("policy", "rule", "group__grouping").order_by("next_step_at", "pk")
    return sum(_escalate(alert, now) for alert in due[:BATCH])


@transaction.atomic
def _escalate(alert: Alert, now: datetime) -> bool:
    told: list[Alert] = []
    taken = _step(alert, now, told)
    announce(told, now=now, at_once=True)
    return taken


def _step(alert: Alert, now: datetime, told: list[Alert]) -> bool:
    """One step, and when the next one is due. False if another worker took it or the alert was taken on.

    The alert is added to `told` when its group has something to say then.
    """
    steps = _steps(alert)
    number = alert.next_step
    this = steps[number % len(steps)] if steps else None
    following = steps[(number + 1) % len(steps)] if steps else None
    ended = following is None or number + 1 >= len(steps) * (1 + alert.policy.repeats)
    upcoming = None if ended else now + timedelta(seconds=following.after_s)
    same = Alert.objects.filter(pk=alert.pk, status=Status.ACTIVE, next_step=number, next_step_at=alert.next_step_at)
    if not same.update(next_step=number + 1, next_step_at=upcoming):
        return False
    alert.next_step, alert.next_step_at = number + 1, upcoming
    if this is not None and _tell(alert, this, number, now):
        told.append(alert)
    return True


def _tell(alert: Alert, step: PolicyStep, number: int, now: datetime) -> bool:
    person = on_call(step.rotation, now) if step.rotation else None
    channels = list(step.channels.all())
    told = write(
        alert=alert,
        channels=channels,
        kind=Kind.ESCALATED,
        now=now,
        step=f"step {number} at {int(now.timestamp())}",
        recipient=person,
    )
    words = f"Step {number + 1} of {alert.policy.name}: {', '.join(channel.name for channel in channels)}"
    if step.rotation:
        words += f"; on call in {step.rotation.name}: {person.label if person else 'nobody'}"
    AlertEvent.objects.create(alert=alert, kind=AlertEvent.Kind.ESCALATED, at=now, text=words[:2000])
    return told


def _steps(alert: Alert) -> list[PolicyStep]:
    steps = PolicyStep.objects.filter(policy=alert.policy_id).select_related("rotation").prefetch_related("channels")
    return list(steps.order_by("number"))
