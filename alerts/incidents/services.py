"""Opening, acknowledging and resolving alerts. Every change writes its notifications in the same transaction."""

from collections.abc import Iterable
from datetime import datetime
from typing import Any

from django.db import IntegrityError, transaction
from django.utils import timezone

from alerts.channels.models import Channel, Kind
from alerts.channels.outbox import enqueue
from alerts.incidents.models import OPEN, SYSTEM, Alert, AlertEvent, Status
from alerts.incidents.serializers import AlertSerializer
from config import live
from config.api.authentication import Principal
from security.audit.services import record


def fire(*, channels: Iterable[Channel], notify: bool = True, now: datetime, **fields: Any) -> Alert | None:
    """Open an alert and put its notifications into the outbox; None when one with that key is open already.

    `fields` are those of Alert. The database's constraint decides between two workers.
    """
    try:
        with transaction.atomic():
            alert = Alert.objects.create(fired_at=now, **fields)
            AlertEvent.objects.create(alert=alert, kind=AlertEvent.Kind.FIRED, at=now, text=alert.message)
            if notify:
                enqueue(alert=alert, channels=channels, kind=Kind.FIRED, now=now)
            tell(alert, "fired")
    except IntegrityError:
        if Alert.objects.open().filter(dedupe_key=fields["dedupe_key"]).exists():
            return None
        raise
    return alert


@transaction.atomic
def resolve(
    *, alert: Alert, by: str = SYSTEM, now: datetime, notify: bool = True, text: str = "", **fields: Any
) -> bool:
    """End an alert; False when somebody else has. `fields` are further columns to set.

    A resolve notice goes to the channels that were told of the alert, after the first notice.
    """
    fields |= {"status": Status.RESOLVED, "resolved_at": now, "resolved_by": by}
    if not Alert.objects.filter(pk=alert.pk, status__in=OPEN).update(**fields):
        return False
    for name, value in fields.items():
        setattr(alert, name, value)
    AlertEvent.objects.create(alert=alert, kind=AlertEvent.Kind.RESOLVED, at=now, text=text)
    if notify:
        told = Channel.objects.filter(notify_resolved=True, outbox__alert=alert, outbox__kind=Kind.FIRED)
        enqueue(alert=alert, channels=told, kind=Kind.RESOLVED, now=now)
    tell(alert, "resolved")
    return True


@transaction.atomic
def acknowledge(*, alert: Alert, actor: Principal, note: str | None = None, request: Any = None) -> Alert:
    """Take an alert on. Again, or after its end, only the note is renewed; the first time is kept."""
    now = timezone.now()
    first = {
        "status": Status.ACKNOWLEDGED,
        "acknowledged_at": now,
        "acknowledged_by": actor.user.pk,
        "acknowledged_by_name": actor.name,
    }
    taken = Alert.objects.filter(pk=alert.pk, status=Status.ACTIVE).update(**first)
    noted = note is not None and note != alert.note
    if noted:
        Alert.objects.filter(pk=alert.pk).update(note=note)
    if taken or noted:
        kind = AlertEvent.Kind.ACKNOWLEDGED if taken else AlertEvent.Kind.NOTED
        AlertEvent.objects.create(alert=alert, kind=kind, at=now, user=actor.user, text=note or "")
        alert.refresh_from_db()
        tell(alert, "acknowledged")
        _audit(alert, "acknowledge", actor, request, note=note)
    return alert


@transaction.atomic
def resolve_by_hand(*, alert: Alert, actor: Principal, request: Any = None) -> Alert:
    """A person says that it is over; a resolved alert stays as it is."""
    if resolve(alert=alert, by=actor.user.pk, now=timezone.now(), text=f"by {actor.name}"):
        _audit(alert, "resolve", actor, request)
    else:
        alert.refresh_from_db()
    return alert


@transaction.atomic
def acknowledge_many(*, alerts: Iterable[Alert], actor: Principal, request: Any = None) -> int:
    """Acknowledge the open ones among them; how many there were."""
    active = [alert for alert in alerts if alert.status == Status.ACTIVE]
    for alert in active:
        acknowledge(alert=alert, actor=actor, request=request)
    return len(active)


@transaction.atomic
def resolve_many(*, alerts: Iterable[Alert], actor: Principal, request: Any = None) -> int:
    """Resolve those that are not over; how many there were."""
    going_on = [alert for alert in alerts if alert.is_open]
    for alert in going_on:
        resolve_by_hand(alert=alert, actor=actor, request=request)
    return len(going_on)


def tell(alert: Alert, kind: str) -> None:
    """Tell pages and sockets after the commit; `payload` is what `/ws` hands on (contract: fleet console §32.2)."""
    event = {
        "kind": kind,
        "alertId": alert.pk,
        "instanceId": alert.instance_id,
        "teamId": alert.team_id,
        "payload": dict(AlertSerializer(alert).data),
    }

    def publish() -> None:
        live.publish_all([("alerts", event), (f"alert:{alert.pk}", event)])

    transaction.on_commit(publish)


def _audit(alert: Alert, act: str, actor: Principal, request: Any, **facts: Any) -> None:
    record(
        actor=actor,
        action="UPDATE",
        resource="alert",
        resource_id=alert.pk,
        team_id=alert.team_id,
        request=request,
        act=act,
        title=alert.title,
        **facts,
    )
