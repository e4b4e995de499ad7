"""Telling again of what is still open (contract: monitors §6, `reminderMinutes`)."""

from datetime import datetime, timedelta

from django.db import transaction

from alerts.channels.models import Kind
from alerts.channels.queries import for_monitors
from alerts.incidents.models import Alert, AlertEvent, Source, Status
from alerts.incidents.telling import tell
from alerts.notices.services import announce, write

BATCH = 200
FLAPPING = "flapping"


def remind(*, now: datetime) -> int:
    """Write reminders that are due into the outbox; how many alerts they tell of.

    Somebody who has acknowledged an alert knows of it, and a flapping one sends no notices. After downtime there is one
    reminder, not all that were missed.
    """
    waiting = Alert.objects.filter(
        source=Source.MONITOR, status=Status.ACTIVE, monitor__reminder_minutes__isnull=False
    ).exclude(type=FLAPPING)
    if not waiting.exists():  # asked each second
        return 0
    found = waiting.select_related("monitor").order_by("fired_at", "pk")[:BATCH]
    return sum(_remind(alert, now) for alert in found if _due_at(alert) <= now)


def _due_at(alert: Alert) -> datetime:
    assert alert.monitor is not None  # noqa: S101 - asked for above
    return (alert.reminded_at or alert.fired_at) + timedelta(minutes=alert.monitor.reminder_minutes or 0)


@transaction.atomic
def _remind(alert: Alert, now: datetime) -> bool:
    """One reminder; False when another worker was faster or the alert is over."""
    same = Alert.objects.filter(pk=alert.pk, status=Status.ACTIVE, reminded_at=alert.reminded_at)
    if not same.update(reminded_at=now):
        return False
    alert.reminded_at = now
    text = f"Still open after {_span(now - alert.fired_at)}"
    AlertEvent.objects.create(alert=alert, kind=AlertEvent.Kind.REMINDED, at=now, text=text)
    write(alert=alert, channels=for_monitors(), kind=Kind.REMINDER, now=now, step=f"at {int(now.timestamp())}")
    announce([alert], now=now)
    tell(alert, "reminded")
    return True


def _span(time: timedelta) -> str:
    minutes = int(time.total_seconds() // 60)
    return f"{minutes} min" if minutes < 120 else f"{minutes // 60} h {minutes % 60} min"
