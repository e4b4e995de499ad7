"""The outbox: messages are rows, written with what they tell of, and sent by workers until they arrive.

At least once on the wire, in order for each alert and channel. A channel's failure never touches the alert.
"""

import logging
import time
from collections.abc import Iterable
from datetime import datetime, timedelta

from django.db import transaction
from django.db.models import Exists, F, OuterRef
from django.utils import timezone

from alerts.channels.models import Attempt, Channel, Notification, State
from alerts.channels.transports import DeliveryFailed, deliver_message
from alerts.incidents.models import Alert

log = logging.getLogger(__name__)
PAUSES_S = (5, 30, 120)
LEASE_S = 60  # longer than any transport may take
BATCH = 200


def enqueue(*, alert: Alert, channels: Iterable[Channel], kind: str, now: datetime) -> None:
    """Put one message for each channel into the outbox, within the caller's transaction."""
    messages = [
        Notification(alert=alert, channel=channel, kind=kind, due_at=now, created_at=now)
        for channel in channels
        if channel.enabled
    ]
    Notification.objects.bulk_create(messages, ignore_conflicts=True)
    if messages:
        from alerts.channels.tasks import send_due

        transaction.on_commit(send_due.delay)


def claim_due(*, now: datetime | None = None) -> list[int]:
    """Take the messages that are due; their ids. A message waits while an earlier one of its alert and channel does."""
    now = now or timezone.now()
    earlier = Notification.objects.filter(
        alert=OuterRef("alert"), channel=OuterRef("channel"), state=State.PENDING, pk__lt=OuterRef("pk")
    )
    due = Notification.objects.filter(~Exists(earlier), state=State.PENDING, due_at__lte=now).order_by("due_at", "pk")
    taken = []
    for pk, due_at in due.values_list("pk", "due_at")[:BATCH]:
        lease = now + timedelta(seconds=LEASE_S)
        if Notification.objects.filter(pk=pk, state=State.PENDING, due_at=due_at).update(due_at=lease):
            taken.append(pk)
    return taken


def deliver(notification_id: int) -> bool:
    """Try one message that was claimed, note how it went, plan the next try; whether it arrived."""
    message = (
        Notification.objects.select_related("alert__rule", "alert__instance", "channel")
        .filter(pk=notification_id, state=State.PENDING)
        .first()
    )
    if message is None:
        return False
    started, error = time.perf_counter(), None
    try:
        deliver_message(channel=message.channel, alert=message.alert, kind=message.kind)
    except DeliveryFailed as failure:
        error = str(failure)[:500]
        log.warning("notification %s by %s failed: %s", message.pk, message.channel.type, error)
    settle(message, error=error, duration_ms=round((time.perf_counter() - started) * 1000))
    return error is None


@transaction.atomic
def settle(message: Notification, *, error: str | None, duration_ms: int) -> None:
    """Write down one try and what follows from it."""
    now = timezone.now()
    Attempt.objects.create(
        notification=message, sent_at=now, success=error is None, error=error, duration_ms=duration_ms
    )
    change: dict = {"attempts": F("attempts") + 1}
    if error is None:
        change["state"] = State.SENT
    elif message.attempts < len(PAUSES_S):
        change["due_at"] = now + timedelta(seconds=PAUSES_S[message.attempts])
    else:
        change["state"] = State.FAILED
    Notification.objects.filter(pk=message.pk).update(**change)
