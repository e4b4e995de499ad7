"""Opening, acknowledging and resolving alerts. Every change writes what is to be told in the same transaction."""

from collections.abc import Iterable
from datetime import datetime
from typing import Any

from django.db import IntegrityError, transaction
from django.utils import timezone

from alerts.channels.models import Channel, Kind
from alerts.grouping.placing import place
from alerts.incidents.models import OPEN, SYSTEM, Alert, AlertEvent, Hold, Status
from alerts.incidents.telling import tell
from alerts.labels.naming import labels_of
from alerts.notices.holding import judge, note
from alerts.notices.services import announce, tell_end, withdraw, write
from alerts.policies.escalation import begin
from alerts.policies.queries import policy_for
from config.api.authentication import Principal
from security.audit.services import record

__all__ = [
    "acknowledge", "acknowledge_many", "fire", "resolve", "resolve_by_hand", "resolve_many", "tell",
]  # fmt: skip


def fire(
    *, channels: Iterable[Channel], notify: bool = True, escalate: bool = True, now: datetime, **fields: Any
) -> Alert | None:
    """Open an alert and write down who is to be told; None when one with that key is open already.

    `fields` are those of Alert; `labels` among them are added to those it gets by itself. The database's constraint
    decides between two workers. Nobody is told while a silence covers it, what it depends on is down, or it flaps.
    `escalate=False` keeps policies out of it.
    """
    try:
        with transaction.atomic():
            alert = _opened(fields, escalate=notify and escalate, now=now)
            AlertEvent.objects.create(alert=alert, kind=AlertEvent.Kind.FIRED, at=now, text=alert.message)
            note(alert, now=now)
            if notify and write(alert=alert, channels=channels, kind=Kind.FIRED, now=now):
                announce(alert=alert, now=now)
            begin(alert=alert, now=now)
            tell(alert, "fired")
    except IntegrityError:
        if Alert.objects.open().filter(dedupe_key=fields["dedupe_key"]).exists():
            return None
        raise
    return alert


def _opened(fields: dict[str, Any], *, escalate: bool, now: datetime) -> Alert:
    """A stored alert with its labels, its group, its policy, and why nobody may be told of it, if so."""
    given = fields.get("labels", {})
    alert = Alert(fired_at=now, **fields)
    alert.labels = labels_of(alert, given)
    judge(alert, now=now)
    alert.group = place(alert)
    alert.policy = policy_for(alert) if escalate else None
    alert.save(force_insert=True)
    return alert


@transaction.atomic
def resolve(
    *, alert: Alert, by: str = SYSTEM, now: datetime, notify: bool = True, text: str = "", **fields: Any
) -> bool:
    """End an alert; False when somebody else has. `fields` are further columns to set.

    A resolve notice goes to the channels that were told of the alert, after the first notice. What nobody was told of
    yet ends in silence.
    """
    over = {"held": Hold.NONE, "held_by": "", "look_at": None, "next_step_at": None}
    fields |= {"status": Status.RESOLVED, "resolved_at": now, "resolved_by": by, **over}
    if not Alert.objects.filter(pk=alert.pk, status__in=OPEN).update(**fields):
        return False
    for name, value in fields.items():
        setattr(alert, name, value)
    AlertEvent.objects.create(alert=alert, kind=AlertEvent.Kind.RESOLVED, at=now, text=text)
    if notify:
        tell_end(alert=alert, now=now)
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
        "next_step_at": None,
    }
    taken = Alert.objects.filter(pk=alert.pk, status=Status.ACTIVE).update(**first)
    noted = note is not None and note != alert.note
    if noted:
        Alert.objects.filter(pk=alert.pk).update(note=note)
    if taken:  # whoever would be told next need not be any more
        withdraw(alert=alert, kinds=(Kind.ESCALATED, Kind.REMINDER))
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
