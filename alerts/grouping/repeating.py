"""Telling again of what a group has open and nobody has taken on."""

from datetime import datetime

from django.db import transaction

from alerts.channels.models import Kind
from alerts.grouping.models import AlertGroup
from alerts.grouping.speaking import AT_ONCE, schedule
from alerts.incidents.models import Alert, AlertEvent, Hold, Status
from alerts.notices.services import told_channels, write


def repeat_due(*, now: datetime) -> int:
    """Write reminders for the groups whose time has come; how many groups have something open."""
    due = AlertGroup.objects.filter(repeat_at__lte=now).order_by("repeat_at", "pk")
    return sum(_repeat(group, now) for group in due[:AT_ONCE])


@transaction.atomic
def _repeat(group: AlertGroup, now: datetime) -> bool:
    if not AlertGroup.objects.filter(pk=group.pk, repeat_at=group.repeat_at).update(repeat_at=None):
        return False
    open_ones = list(Alert.objects.filter(group=group, status=Status.ACTIVE, held=Hold.NONE).order_by("fired_at", "pk"))
    for alert in open_ones:
        channels = told_channels(alert)
        if write(alert=alert, channels=channels, kind=Kind.REMINDER, now=now, step=f"repeat {group.turn}"):
            AlertEvent.objects.create(alert=alert, kind=AlertEvent.Kind.REMINDED, at=now)
    if open_ones:
        schedule(alert=open_ones[0], now=now, at_once=True)
    return bool(open_ones)
