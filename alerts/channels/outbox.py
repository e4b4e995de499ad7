"""The outbox: messages are rows, written with what they tell of, and sent by workers until they arrive.

At least once on the wire, in order for each alert and channel (and so for each group of alerts). A channel's failure
never touches the alert, and a channel that hangs holds up no other: each is emptied by itself, one message after the
other.
"""

import logging
import time
from datetime import datetime, timedelta

from django.db import transaction
from django.db.models import Exists, F, Min, OuterRef, QuerySet
from django.utils import timezone

from alerts.channels.models import Attempt, Notification, State
from alerts.channels.transports import DeliveryFailed, deliver_message
from config import live

log = logging.getLogger(__name__)
# The first three are those of the contract; the others carry a message over an outage of some hours.
PAUSES_S = (5, 30, 120, 300, 600, 1800, 3600, 7200, 14_400)
LEASE_S = 60  # longer than any transport may take
DRAIN_S = 30  # after which a worker leaves the rest of a channel to the next one
MOST_CHANNELS = 200


def hand_over() -> None:
    """Wake the senders once the messages of this transaction are stored; the tick finds what could not be told."""
    from alerts.channels.tasks import send_due

    transaction.on_commit(send_due.delay, robust=True)


def due_channels(*, now: datetime | None = None) -> list[str]:
    """Channels with messages to send now, the longest waiting first."""
    waiting = _due(now or timezone.now()).values("channel").annotate(first_at=Min("due_at")).order_by("first_at")
    return list(waiting.values_list("channel", flat=True)[:MOST_CHANNELS])


def drain(channel_id: str, *, now: datetime | None = None) -> list[bool]:
    """Send what is due in one channel, oldest first; for each message whether it arrived."""
    outcomes, ends = [], time.monotonic() + DRAIN_S
    while time.monotonic() < ends and (message := take(channel_id, now=now or timezone.now())):
        outcomes.append(deliver(message, began_at=now or timezone.now()))
    return outcomes


def take(channel_id: str, *, now: datetime) -> Notification | None:
    """Take the next due message of a channel; None when there is none.

    A message waits while an earlier one of its stream does. One whose worker died is due again after its lease.
    """
    about = ("alert__rule", "alert__instance", "alert__monitor", "channel", "recipient")
    whole = Notification.objects.select_related(*about)
    lease = now + timedelta(seconds=LEASE_S)
    for pk, due_at in _due(now).filter(channel=channel_id).order_by("due_at", "pk").values_list("pk", "due_at")[:20]:
        if Notification.objects.filter(pk=pk, state=State.PENDING, due_at=due_at).update(due_at=lease):
            return whole.filter(pk=pk).first()
    return None


def _due(now: datetime) -> QuerySet[Notification]:
    earlier = Notification.objects.filter(
        stream=OuterRef("stream"), channel=OuterRef("channel"), state=State.PENDING, pk__lt=OuterRef("pk")
    )
    return Notification.objects.filter(~Exists(earlier), state=State.PENDING, due_at__lte=now)


def deliver(message: Notification, *, began_at: datetime) -> bool:
    """Try one message that was taken, note how it went, plan the next try; whether it arrived."""
    started, failure = time.perf_counter(), None
    try:
        if not message.channel.enabled:
            raise DeliveryFailed("The channel was switched off before the message left.", final=True)
        deliver_message(message)
    except DeliveryFailed as reason:
        failure = reason
        log.warning("notification %s by %s failed: %s", message.pk, message.channel.type, reason)
    took_s = time.perf_counter() - started
    settle(message, failure, ended_at=began_at + timedelta(seconds=took_s), duration_ms=round(took_s * 1000))
    return failure is None


@transaction.atomic
def settle(message: Notification, failure: DeliveryFailed | None, *, ended_at: datetime, duration_ms: int) -> None:
    """Write down one try and what follows from it."""
    if not Notification.objects.filter(pk=message.pk).exists():  # deleted meanwhile, with its alert or channel
        return
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
    topic = f"alert:{message.alert_id}"
    transaction.on_commit(lambda: live.publish(topic, {"kind": "delivery"}), robust=True)  # its page says who was told
