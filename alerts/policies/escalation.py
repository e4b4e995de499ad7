"""Escalation: the steps of an alert's policy, one after the other, until somebody takes the alert on."""

from datetime import datetime, timedelta

from django.db import transaction

from alerts.channels.models import Kind
from alerts.incidents.models import Alert, AlertEvent, Hold, Status
from alerts.notices.services import announce, write
from alerts.policies.models import PolicyStep
from alerts.policies.oncall import on_call

BATCH = 500


def begin(*, alert: Alert, now: datetime) -> None:
    """Start the alert's policy at its first step, if it has one and people may be told."""
    if alert.policy_id is None or alert.status != Status.ACTIVE or alert.held:
        return
    steps = _steps(alert)
    if steps:
        Alert.objects.filter(pk=alert.pk).update(next_step=0, next_step_at=now + timedelta(seconds=steps[0].after_s))
        alert.refresh_from_db(fields=["next_step", "next_step_at"])
        if steps[0].after_s == 0:
            _step(alert, now)


def escalate_due(*, now: datetime) -> int:
    """Take the steps whose time has come, of alerts that nobody has taken on; how many."""
    due = Alert.objects.filter(next_step_at__lte=now, status=Status.ACTIVE, held=Hold.NONE)
    due = due.select_related("policy", "rule", "group__grouping").order_by("next_step_at", "pk")
    return sum(_step(alert, now) for alert in due[:BATCH])


@transaction.atomic
def _step(alert: Alert, now: datetime) -> bool:
    """One step: tell, and set when the next one is due. False if another worker took it or the alert was taken on."""
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
    if this is not None:
        _tell(alert, this, number, now)
    return True


def _tell(alert: Alert, step: PolicyStep, number: int, now: datetime) -> None:
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
    if told:
        announce(alert=alert, now=now, at_once=True)


def _steps(alert: Alert) -> list[PolicyStep]:
    steps = PolicyStep.objects.filter(policy=alert.policy_id).select_related("rotation").prefetch_related("channels")
    return list(steps.order_by("number"))
