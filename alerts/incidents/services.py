"""Opening, acknowledging and resolving alerts. Every change writes what is to be told in the same transaction."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from django.db import transaction
from django.db.models import prefetch_related_objects
from django.utils import timezone

from alerts.channels.models import Channel, Kind
from alerts.grouping.placing import place
from alerts.incidents.models import OPEN, SYSTEM, Alert, AlertEvent, Hold, Status
from alerts.incidents.telling import tell, tell_all
from alerts.labels.naming import labels_of
from alerts.notices.holding import judge
from alerts.notices.services import announce, tell_end, withdraw, write_all
from alerts.policies.escalation import begin
from alerts.policies.queries import assign
from config.api.authentication import Principal
from security.audit.services import record

__all__ = [
    "Opening", "acknowledge", "acknowledge_many", "fire", "fire_many", "resolve", "resolve_by_hand", "resolve_many",
    "tell",
]  # fmt: skip


@dataclass(frozen=True)
class Opening:
    """An alert to open. `fields` are those of Alert; `labels` among them are added to those it gets by itself.

    `channels` are told at first, if `notify`; `escalate=False` keeps policies out of it.
    """

    fields: dict[str, Any]
    channels: Iterable[Channel]
    notify: bool = True
    escalate: bool = True


def fire(
    *, channels: Iterable[Channel], notify: bool = True, escalate: bool = True, now: datetime, **fields: Any
) -> Alert | None:
    """Open one alert; None when one with that key is open already."""
    opened = fire_many([Opening(fields, channels, notify, escalate)], now=now)
    return opened[0] if opened else None


@transaction.atomic
def fire_many(openings: Iterable[Opening], *, now: datetime) -> list[Alert]:
    """Open alerts and write down who is to be told; those that were opened, which others with their key were not yet.

    The number of statements does not depend on how many there are. The database's constraint decides between two
    workers. Nobody is told while a silence covers an alert, what it depends on is down, or it flaps.
    """
    wanted = {alert.pk: (alert, opening) for alert, opening in _made(openings, now)}
    alerts = [alert for alert, _ in wanted.values()]
    fired = [AlertEvent(alert=one, kind=AlertEvent.Kind.FIRED, at=now, text=one.message) for one in alerts]
    story = fired + judge(alerts, now=now)
    place(alerts)
    assign([alert for alert, opening in wanted.values() if opening.notify and opening.escalate])
    Alert.objects.bulk_create(alerts, ignore_conflicts=True)
    mine = set(Alert.objects.filter(pk__in=wanted).values_list("pk", flat=True))
    opened = [alert for alert in alerts if alert.pk in mine]
    AlertEvent.objects.bulk_create([event for event in story if event.alert_id in mine])
    told = [(alert, opening.channels) for alert, opening in wanted.values() if opening.notify and alert.pk in mine]
    announce(write_all(told, kind=Kind.FIRED, now=now), now=now)
    begin(opened, now=now)
    tell_all(opened, "fired")
    return opened


def _made(openings: Iterable[Opening], now: datetime) -> list[tuple[Alert, Opening]]:
    """Alerts with their labels, not stored yet."""
    made = [(Alert(fired_at=now, **opening.fields), opening) for opening in openings]
    prefetch_related_objects([alert for alert, _ in made], "rule", "instance__team", "monitor")
    for alert, opening in made:
        alert.labels = labels_of(alert, opening.fields.get("labels", {}))
    return made


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
