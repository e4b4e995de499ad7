"""From a message of the outbox to what it says, put together when it leaves."""

from dataclasses import replace
from typing import Any

from django.conf import settings

from alerts.channels.models import Kind, Notification
from alerts.channels.transports.messages import Message
from alerts.incidents.models import OPEN, Alert, Status
from alerts.notices.models import Notice
from config.api.fields import milliseconds

NAMED, LISTED = 10, 100  # alerts that the text names, and that a body lists
PREFIXES = {Kind.REMINDER: "Still open: ", Kind.ESCALATED: "Nobody has it yet: "}
ABOUT = ("alert__rule", "alert__instance", "alert__monitor")


def message_of(notification: Notification) -> Message:
    """What a message of the outbox tells: one alert as it is, several in one.

    One of an alert that fired says so even if it has ended meanwhile.
    """
    notices = Notice.objects.filter(message=notification)
    alerts = list(dict.fromkeys(notices.order_by("pk").values_list("alert", flat=True)))
    one = _of_alert(notification.alert, kind=notification.kind, key=_key(notification))
    group = notification.alert.group
    still_open = Alert.objects.filter(group=group, status__in=OPEN).count() if group else 0
    one = replace(one, stream=notification.stream, recipient=notification.recipient, over=not still_open)
    if len(alerts) < 2:
        return one
    return _of_group(one, notification, notices.select_related(*ABOUT), len(alerts), still_open)


def _key(notification: Notification) -> str:
    return f"{notification.alert_id}:{notification.kind}:{notification.channel_id}:{notification.turn.rstrip(':')}"


def _of_alert(alert: Alert, *, kind: str, key: str) -> Message:
    flapping = " (it comes and goes)" if alert.flapping else ""
    return Message(
        key=key,
        alert_id=alert.pk,
        rule_id=alert.rule_id,
        rule_name=alert.rule.name if alert.rule else alert.subject,
        rule_type=alert.rule.type if alert.rule else alert.source.upper(),
        instance_id=alert.instance_id,
        subject=alert.subject,
        severity=alert.severity,
        title=f"{PREFIXES.get(Kind(kind), '')}{alert.title}{flapping}",
        text=alert.message,
        status=Status.RESOLVED if kind == Kind.RESOLVED else Status.ACTIVE,
        fired_at=alert.fired_at,
        metadata=alert.metadata,
        url=f"{settings.BASE_URL}/alerts/{alert.pk}/",
        team_id=alert.team_id,
        stored_id=alert.pk,
    )


def _of_group(one: Message, notification: Notification, notices: Any, count: int, still_open: int) -> Message:
    group = notification.alert.group
    ended = notices.filter(kind=Kind.RESOLVED).values("alert").distinct().count()
    shown = list(notices.order_by("pk")[:LISTED])
    over = ended == count and not still_open
    labels = group.labels if group else {}
    names = ", ".join(filter(None, labels.values())) or "several things"
    parts = [f"{count - ended} alert{'s' * (count - ended > 1)}"] if count > ended else []
    parts += [f"{ended} {'ended' if parts else 'alerts'}"] if ended else []
    words = [f"{'Ended: ' if one.kind == Kind.RESOLVED else ''}{one.alert.title}" for one in shown[:NAMED]]
    words += [f"and {count - NAMED} more"] if count > NAMED else []
    listed = [
        {
            "alertId": one.alert_id,
            "instanceId": one.alert.instance_id,
            "severity": one.alert.severity,
            "title": one.alert.title,
            "status": Status.RESOLVED if one.kind == Kind.RESOLVED else Status.ACTIVE,
            "firedAt": milliseconds(one.alert.fired_at),
        }
        for one in shown
    ]
    facts = {"key": one.stream, "labels": labels, "firing": count - ended, "resolved": ended, "open": still_open}
    return replace(
        one,
        title=f"{PREFIXES.get(Kind(notification.kind), '')}{', '.join(parts)}: {names}",
        text="\n".join([*words, f"Open in this group now: {still_open}"]),
        status=Status.RESOLVED if over else Status.ACTIVE,
        metadata=None,
        group={**facts, "alerts": listed, "more": max(0, count - len(shown))},
        url=f"{settings.BASE_URL}/alerts/?group={group.pk}" if group else one.url,
    )
