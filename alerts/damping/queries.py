"""What is known of something that fires again."""

from datetime import datetime

from django.conf import settings
from django.db.models import Q

from alerts.channels.models import Notification
from alerts.damping.rules import FLAPPING, WINDOW, hold_until
from alerts.incidents.models import Alert, Source


def damped(alert: Alert, *, now: datetime) -> tuple[bool, datetime | None]:
    """Whether the alert flaps, and until when nobody is told of it. Monitors have a flapping of their own."""
    if alert.source == Source.MONITOR:
        return False, None
    recent = Alert.objects.filter(dedupe_key=alert.dedupe_key).filter(Q(fired_at__gt=now - WINDOW)).exclude(pk=alert.pk)
    before = recent.count()
    if not before:
        return False, None
    told = Notification.objects.filter(notices__alert__dedupe_key=alert.dedupe_key, created_at__gt=now - WINDOW)
    last = told.order_by("-created_at").values_list("created_at", flat=True).first()
    settle_s = settings.ALERT_SETTLE_S
    until = hold_until(fired_before=before, last_told_at=last or now - WINDOW, settle_s=settle_s, now=now)
    return before >= FLAPPING and settle_s > 0, until
