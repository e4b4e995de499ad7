"""Whether anybody is told of an alert: silences first, then what it depends on, then flap damping."""

from datetime import datetime, timedelta

from django.db import transaction

from alerts.damping.queries import damped
from alerts.dependencies.queries import down_parent
from alerts.incidents.models import OPEN, Alert, AlertEvent, Hold, Status
from alerts.notices.services import announce
from alerts.policies.escalation import begin
from alerts.silences.queries import covering

LOOK = timedelta(seconds=15)  # how often a parent that is down is looked at again
SETTLE = timedelta(seconds=60)  # for children to recover after their parent has
BATCH = 500


def judge(alert: Alert, *, now: datetime) -> None:
    """Set `status`, `held`, `flapping` and `look_at` of an alert that is not stored yet."""
    if covering(alert.labels, now=now):
        alert.status = Status.SILENCED
    hold(alert, now=now)


def hold(alert: Alert, *, now: datetime) -> None:
    """Set in memory why nobody is told of the alert, if so; a silence apart."""
    alert.flapping, until = damped(alert, now=now)
    if parent := down_parent(alert, now=now):
        alert.held, alert.held_by, alert.look_at = Hold.DEPENDENCY, parent[:300], now + LOOK
    elif until is not None:
        alert.held, alert.look_at = Hold.FLAPPING, until


def note(alert: Alert, *, now: datetime) -> None:
    """Write into the story why nobody is told."""
    if alert.status == Status.SILENCED:
        reasons = ", ".join(f"“{silence.reason}”" for silence in covering(alert.labels, now=now))
        AlertEvent.objects.create(alert=alert, kind=AlertEvent.Kind.SILENCED, at=now, text=reasons[:2000])
    if alert.held:
        AlertEvent.objects.create(alert=alert, kind=AlertEvent.Kind.HELD, at=now, text=why(alert))


def why(alert: Alert) -> str:
    """Why nobody is told, in words."""
    if alert.held == Hold.DEPENDENCY:
        return f"It depends on {alert.held_by}, which is down"
    return "It comes and goes; it is told when it lasts" if alert.held else ""


def look_again(*, now: datetime) -> int:
    """Judge held alerts anew whose time has come; how many were told after all."""
    due = Alert.objects.filter(look_at__lte=now, status__in=OPEN).select_related("group__grouping", "rule", "policy")
    return sum(_look(alert, now) for alert in due.order_by("look_at", "pk")[:BATCH])


@transaction.atomic
def _look(alert: Alert, now: datetime) -> bool:
    same = Alert.objects.filter(pk=alert.pk, look_at=alert.look_at, status__in=OPEN)
    change: dict = {"held": Hold.NONE, "held_by": "", "look_at": None}
    if alert.held == Hold.DEPENDENCY:
        parent = down_parent(alert, now=now)
        if parent:
            change = {"held_by": parent[:300], "look_at": now + LOOK}
        elif alert.held_by:  # it is back: its children get a while to recover too
            change = {"held_by": "", "look_at": now + SETTLE}
    if not same.update(**change):
        return False
    for name, value in change.items():
        setattr(alert, name, value)
    if alert.held:
        return False
    AlertEvent.objects.create(alert=alert, kind=AlertEvent.Kind.RELEASED, at=now)
    begin(alert=alert, now=now)
    announce(alert=alert, now=now, at_once=True)
    return True
