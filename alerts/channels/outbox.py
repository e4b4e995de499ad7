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
    """Put one message for each enabled channel into the outbox, within the caller's transaction."""
    messages = [
        Notification(alert=alert, channel=channel, kind=kind, due_at=now, created_at=now)
        for channel in channels
        if channel.enabled
    ]
    Notification.objects.bulk_create(messages, ignore_conflicts=True)
    if messages:
        from alerts.channels.tasks import send_due

        transaction.on_commit(send_due.delay, robust=True)  # the tick finds what could not be told


def claim_due(*, now: datetime | None = None) -> list[tuple[int, datetime]]:
    """Take the messages that are due: their ids, each with the lease under which it may be sent.

    A message waits while an earlier one of its alert and channel does. A lease that ends without a result, because
    its worker died or never came to it, makes the message due again.
    """
    now = now or timezone.now()
    lease = now + timedelta(seconds=LEASE_S)
    earlier = Notification.objects.filter(
        alert=OuterRef("alert"), channel=OuterRef("channel"), state=State.PENDING, pk__lt=OuterRef("pk")
    )
    due = Notification.objects.filter(~Exists(earlier), state=State.PENDING, due_at__lte=now).order_by("due_at", "pk")
    taken = []
    for pk, due_at in due.values_list("pk", "due_at")[:BATCH]:
        if Notification.objects.filter(pk=pk, state=State.PENDING, due_at=due_at).update(due_at=lease):
            taken.append((pk, lease))
    return taken


def deliver(notification_id: int, lease: datetime, *, now: datetime | None = None) -> bool:
    """Try one message under its lease, note how it went, plan the next try; whether it arrived.

    The lease is spent first, so that a task that the broker hands out twice sends once.
    """
    began_at = now or timezone.now()
    own = Notification.objects.filter(pk=notification_id, state=State.PENDING, due_at=lease)
    if not own.update(due_at=max(lease, began_at) + timedelta(seconds=LEASE_S)):
        return False
    whole = Notification.objects.select_related("alert__rule", "alert__instance", "alert__monitor", "channel")
    message = whole.filter(pk=notification_id).first()
    if message is None:  # deleted with its alert or channel at this very moment
        return False
    started, failure = time.perf_counter(), None
    try:
        if not message.channel.enabled:
            raise DeliveryFailed("The channel was switched off before the message left.", final=True)
        deliver_message(channel=message.channel, alert=message.alert, kind=message.kind)
    except DeliveryFailed as reason:
        failure = reason
        log.warning("notification %s by %s failed: %s", message.pk, message.channel.type, reason)
    took_s = time.perf_counter() - started
    settle(message, failure, ended_at=began_at + timedelta(seconds=took_s), duration_ms=round(took_s * 1000))
    return failure is None


@transaction.atomic
def settle(message: Notification, failure: DeliveryFailed | None, *, ended_at: datetime, duration_ms: int) -> None:
    """Write down one try and what follows from it."""
    error = str(failure)[:500] if failure else None
    Attempt.objects.create(
        notification=message, sent_at=ended_at, success=error is None, error=error, duration_ms=duration_ms
    )
    change: dict = {"attempts": F("attempts") + 1}
    if failure is None:
        change["state"] = State.SENT
    elif failure.final or message.attempts >= len(PAUSES_S):
        change["state"] = State.FAILED
    else:
        change["due_at"] = ended_at + timedelta(seconds=PAUSES_S[message.attempts])
    Notification.objects.filter(pk=message.pk, state=State.PENDING).update(**change)
