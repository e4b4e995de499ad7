"""When a group speaks, and what: the notices that wait become one message for each channel.

`next_at` is the claim. Whoever writes a notice moves it, which takes the row's lock; whoever speaks takes it away. So
a notice is either seen by the one who speaks, or sets the next time.
"""

from collections import defaultdict
from collections.abc import Iterable
from datetime import datetime, timedelta

from django.db import transaction
from django.db.models import Case, F, Q, When

from alerts.channels.models import Kind, Notification
from alerts.channels.outbox import hand_over
from alerts.grouping.models import AlertGroup
from alerts.grouping.placing import pace_of, place
from alerts.incidents.models import Alert, Hold, Severity, Status
from alerts.notices.models import Notice

KINDS = (Kind.FIRED, Kind.ESCALATED, Kind.REMINDER, Kind.RESOLVED)  # the first that occurs names a message
RANK = {severity: rank for rank, severity in enumerate(Severity.values)}
AT_ONCE = 500  # groups that one tick lets speak


def schedule(*, alert: Alert, now: datetime, at_once: bool = False) -> None:
    """Set when the alert's group speaks next: after its wait, and its interval since it last spoke; or at once."""
    if alert.group_id is None:
        place([alert])
        Alert.objects.filter(pk=alert.pk).update(group=alert.group)
    group = AlertGroup.objects.select_related("grouping").get(alerts=alert)  # it may have spoken meanwhile
    pace = pace_of(group)
    due = now if at_once else now + timedelta(seconds=pace.wait_s)
    if group.spoke_at and not at_once:
        due = max(due, group.spoke_at + timedelta(seconds=pace.interval_s))
    later = Q(next_at=None) | Q(next_at__gt=due)
    AlertGroup.objects.filter(pk=group.pk).update(next_at=Case(When(later, then=due), default=F("next_at")))
    if due <= now:
        speak(group, now=now)


def speak_due(*, now: datetime) -> int:
    """Let every group speak whose time has come; how many messages were written."""
    due = AlertGroup.objects.filter(next_at__lte=now).select_related("grouping").order_by("next_at", "pk")
    return sum(speak(group, now=now) for group in due[:AT_ONCE])


@transaction.atomic
def speak(group: AlertGroup, *, now: datetime) -> int:
    """Write one message for each channel with notices that wait; how many. Nothing if another worker was faster."""
    same = AlertGroup.objects.filter(pk=group.pk, next_at__lte=now)
    if not same.update(next_at=None, turn=F("turn") + 1):
        return 0
    group.refresh_from_db(fields=["turn"])
    waiting = _tellable(group)
    if not waiting:
        return 0
    channels: dict[tuple[str, str | None], list[Notice]] = defaultdict(list)
    for notice in waiting:
        channels[notice.channel_id, notice.recipient_id].append(notice)
    for (channel_id, recipient_id), notices in channels.items():
        _write(group, channel_id, recipient_id, notices, now)
    group.spoke_at = now
    group.repeat_at = _repeat_at(group, now)
    group.save(update_fields=["spoke_at", "repeat_at"])
    hand_over()
    return len(channels)


def _tellable(group: AlertGroup) -> list[Notice]:
    """Notices without a message whose alert may be told of. An end is told whatever holds."""
    told = ~Q(alert__status=Status.SILENCED) & Q(alert__held=Hold.NONE)
    waiting = Notice.objects.filter(Q(kind=Kind.RESOLVED) | told, alert__group=group, message=None)
    return list(waiting.select_related("alert").order_by("pk"))


def _write(
    group: AlertGroup, channel_id: str, recipient_id: str | None, notices: Iterable[Notice], now: datetime
) -> None:
    found = list(notices)
    message = Notification.objects.create(
        alert=min((notice.alert for notice in found), key=lambda alert: RANK[alert.severity]),
        channel_id=channel_id,
        kind=min((notice.kind for notice in found), key=KINDS.index),
        stream=f"g{group.pk}",
        turn=f"{group.turn}:{recipient_id or ''}",
        recipient_id=recipient_id,
        due_at=now,
        created_at=now,
    )
    keys = [notice.pk for notice in found]
    for start in range(0, len(keys), 500):
        Notice.objects.filter(pk__in=keys[start : start + 500]).update(message=message)


def _repeat_at(group: AlertGroup, now: datetime) -> datetime | None:
    repeat_s = pace_of(group).repeat_s
    return now + timedelta(seconds=repeat_s) if repeat_s else None
