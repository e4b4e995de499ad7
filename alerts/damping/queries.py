"""What is known of something that fires again."""

from collections.abc import Sequence
from datetime import datetime
from typing import NamedTuple

from django.conf import settings
from django.db.models import Count, Max

from alerts.channels.models import Notification
from alerts.damping.rules import FLAPPING, WINDOW, hold_until
from alerts.incidents.models import Alert, Source


class Damping(NamedTuple):
    """Whether an alert flaps, and until when nobody is told of it."""

    flapping: bool = False
    until: datetime | None = None


CALM = Damping()


def damped(alerts: Sequence[Alert], *, now: datetime) -> dict[str, Damping]:
    """How each alert that is about to be stored is damped. Monitors have a flapping of their own."""
    keys = [alert.dedupe_key for alert in alerts if alert.source != Source.MONITOR]
    recent = Alert.objects.filter(dedupe_key__in=keys, fired_at__gt=now - WINDOW).order_by()
    before = dict(recent.values_list("dedupe_key").annotate(Count("pk")))
    told = Notification.objects.filter(notices__alert__dedupe_key__in=before, created_at__gt=now - WINDOW)
    last = dict(told.order_by().values_list("notices__alert__dedupe_key").annotate(Max("created_at"))) if before else {}
    return {alert.pk: _damping(before.get(alert.dedupe_key, 0), last.get(alert.dedupe_key), now) for alert in alerts}


def _damping(before: int, last_told_at: datetime | None, now: datetime) -> Damping:
    if not before:
        return CALM
    settle_s = settings.ALERT_SETTLE_S
    until = hold_until(fired_before=before, last_told_at=last_told_at or now - WINDOW, settle_s=settle_s, now=now)
    return Damping(before >= FLAPPING and settle_s > 0, until)
