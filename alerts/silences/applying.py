"""Silences begin and end: alerts become SILENCED, and what still burns afterwards is told at once."""

from datetime import datetime
from typing import Any

from django.db import transaction

from alerts.incidents.models import Alert, AlertEvent, Status
from alerts.incidents.telling import tell
from alerts.labels.matchers import matches
from alerts.notices.services import tell_again
from alerts.policies.escalation import begin
from alerts.silences.models import Silence
from alerts.silences.queries import active
from config import live


def turn_due(*, now: datetime) -> int:
    """Begin and end silences whose time has come; how many changed."""
    due = list(Silence.objects.filter(next_at__lte=now).order_by("next_at", "pk")[:200])
    turned = sum(_turn(silence, now) for silence in due)
    if turned:
        apply(now=now)
    return turned


def _turn(silence: Silence, now: datetime) -> bool:
    """Write down whether it is active and when to look again; False if another worker did."""
    same = Silence.objects.filter(pk=silence.pk, next_at=silence.next_at, updated_at=silence.updated_at)
    return bool(same.update(**facts(silence, now)))


def facts(silence: Silence, now: datetime) -> dict[str, Any]:
    """`active` and `next_at` as they should be at that moment."""
    span = silence.span(now)
    if span is None:
        return {"active": False, "next_at": None}
    return {"active": span[0] <= now, "next_at": span[1] if span[0] <= now else span[0]}


def apply(*, now: datetime) -> tuple[int, int]:
    """Give every open alert that nobody has taken on the state that the silences say: how many were hidden, shown."""
    transaction.on_commit(lambda: live.publish("alerts", {"kind": "silences"}))  # the count in every header
    silences = active(now)
    hidden = shown = 0
    open_ones = Alert.objects.filter(status__in=(Status.ACTIVE, Status.SILENCED)).order_by("pk")
    for alert in open_ones.only("status", "labels").iterator(chunk_size=1000):
        over = [one for one in silences if matches(one.matchers, alert.labels)]
        if over and alert.status == Status.ACTIVE:
            hidden += _hide(alert.pk, over, now)
        elif not over and alert.status == Status.SILENCED:
            shown += _show(alert.pk, now)
    return hidden, shown


@transaction.atomic
def _hide(alert_id: str, silences: list[Silence], now: datetime) -> bool:
    if not Alert.objects.filter(pk=alert_id, status=Status.ACTIVE).update(status=Status.SILENCED):
        return False
    alert = Alert.objects.select_related("rule", "instance").get(pk=alert_id)
    text = ", ".join(f"“{silence.reason}”" for silence in silences)
    AlertEvent.objects.create(alert=alert, kind=AlertEvent.Kind.SILENCED, at=now, text=text[:2000])
    tell(alert, "silenced")
    return True


@transaction.atomic
def _show(alert_id: str, now: datetime) -> bool:
    """The alert is open again; unless it is held for another reason, people are told at once."""
    if not Alert.objects.filter(pk=alert_id, status=Status.SILENCED).update(status=Status.ACTIVE):
        return False
    alert = Alert.objects.select_related("rule", "instance", "policy", "group__grouping").get(pk=alert_id)
    event = AlertEvent.objects.create(alert=alert, kind=AlertEvent.Kind.UNSILENCED, at=now)
    if not alert.held:
        begin([alert], now=now)
        tell_again(alert=alert, now=now, step=f"silence {event.pk}")
    tell(alert, "unsilenced")
    return True
