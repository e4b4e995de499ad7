"""Whether anybody is told of an alert: silences first, then what it depends on, then flap damping."""

from collections.abc import Sequence
from datetime import datetime, timedelta

from django.db import transaction

from alerts.damping.queries import damped
from alerts.dependencies.queries import down_parents
from alerts.incidents.models import OPEN, Alert, AlertEvent, Hold, Status
from alerts.labels.matchers import matches
from alerts.notices.services import announce
from alerts.policies.escalation import begin
from alerts.silences.queries import active

LOOK = timedelta(seconds=15)  # how often a parent that is down is looked at again
SETTLE = timedelta(seconds=60)  # for children to recover after their parent has
BATCH = 500


def judge(alerts: Sequence[Alert], *, now: datetime) -> list[AlertEvent]:
    """Set `status`, `held`, `flapping` and `look_at` of alerts that are not stored yet; the lines of their stories."""
    silences, dampings, parents = active(now), damped(alerts, now=now), down_parents(alerts, now=now)
    story = []
    for alert in alerts:
        if over := [silence for silence in silences if matches(silence.matchers, alert.labels)]:
            alert.status = Status.SILENCED
            reasons = ", ".join(f"“{silence.reason}”" for silence in over)
            story.append(AlertEvent(alert=alert, kind=AlertEvent.Kind.SILENCED, at=now, text=reasons[:2000]))
        alert.flapping, until = dampings[alert.pk]
        if parent := parents.get(alert.pk):
            alert.held, alert.held_by, alert.look_at = Hold.DEPENDENCY, parent[:300], now + LOOK
        elif until is not None:
            alert.held, alert.look_at = Hold.FLAPPING, until
        if alert.held:
            story.append(AlertEvent(alert=alert, kind=AlertEvent.Kind.HELD, at=now, text=why(alert)))
    return story


def why(alert: Alert) -> str:
    """Why nobody is told, in words."""
    if alert.held == Hold.DEPENDENCY:
        return f"It depends on {alert.held_by}, which is down"
    return "It comes and goes; it is told when it lasts" if alert.held else ""


def look_again(*, now: datetime) -> int:
    """Judge held alerts anew whose time has come; how many were told after all."""
    due = Alert.objects.filter(look_at__lte=now, status__in=OPEN)
    if not due.exists():  # asked each second: the wide query below costs three times as much to write down
        return 0
    due = due.select_related("group__grouping", "rule", "policy").order_by("look_at", "pk")
    return sum(_look(alert, now) for alert in due[:BATCH])


@transaction.atomic
def _look(alert: Alert, now: datetime) -> bool:
    same = Alert.objects.filter(pk=alert.pk, look_at=alert.look_at, status__in=OPEN)
    change: dict = {"held": Hold.NONE, "held_by": "", "look_at": None}
    if alert.held == Hold.DEPENDENCY:
        if parent := down_parents([alert], now=now).get(alert.pk):
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
    begin([alert], now=now)
    announce([alert], now=now, at_once=True)
    return True
