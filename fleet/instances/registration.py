"""A machine makes itself known: found and refreshed, or made anew (contract: fleet console §4)."""

from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any

from django.conf import settings
from django.db import IntegrityError, transaction
from django.utils import timezone

from config.api.authentication import Principal
from config.api.errors import Conflict, NotFound
from config.api.permissions import OPERATOR
from fleet.instances.changes import announce, audit, note
from fleet.instances.models import Event, Instance, Status, facts
from fleet.instances.places import place_of


@dataclass(frozen=True)
class Registration:
    """What a machine says of itself. `given` holds only the fields that the request carries.

    `agent_id` is set when its agent speaks: then this is also a sign of life.
    """

    name: str
    agent_id: str | None = None
    given: dict[str, Any] = field(default_factory=dict)
    geo: dict[str, Any] | None = None


def register(
    *, registration: Registration, principal: Principal, request: Any = None, now: datetime | None = None
) -> Instance:
    """Refresh the record of this machine, or make one; it is RUNNING afterwards.

    A suspended record stays so when its agent registers. Raises Conflict when another team's instance has the name.
    """
    now = now or timezone.now()
    for _ in range(3):
        try:
            return _register(registration, principal, request, now)
        except (IntegrityError, Conflict):  # another registration took the name between two looks of ours: look again
            continue
    raise _taken(registration.name)


@transaction.atomic
def _register(registration: Registration, principal: Principal, request: Any, now: datetime) -> Instance:
    instance = find(registration, principal)
    before = facts(instance) if instance else None
    if instance is None:
        instance = Instance(name=_free_name(registration.name), status=Status.RUNNING)
    elif _becomes_running(instance, registration, principal):
        instance.status = Status.RUNNING
    written = _apply(instance, registration, now)
    if before:  # only what is told: a heartbeat may renew the rest at the same moment
        instance.save(update_fields=[*written, "status", "updated_at"])
    else:
        instance.save(force_insert=True)
    note(instance, Event.Type.DEPLOY, now=now, triggered_by="api", provider=instance.provider)
    announce(instance)
    audit(instance, "UPDATE" if before else "CREATE", actor=principal, request=request, before=before)
    return instance


def find(registration: Registration, principal: Principal) -> Instance | None:
    """The record that the registration speaks of, among those that the caller may see.

    A key bound to an instance speaks of that one. Else the record with the id that the agent gives, else the one
    that this agent registered before, else the active one of that name.
    """
    mine = Instance.objects.visible_to(principal).existing()
    if principal.instance_id:
        instance = mine.first()
        if instance is None:
            raise NotFound(f"Instance '{principal.instance_id}' not found")
        return instance
    if registration.agent_id:
        if instance := mine.filter(pk=registration.agent_id).first():
            return instance
        if instance := mine.filter(external_id=registration.agent_id).order_by("-created_at", "-id").first():
            return instance
    return mine.active().filter(name=registration.name).first()


def _becomes_running(instance: Instance, registration: Registration, principal: Principal) -> bool:
    """Agents never wake what a person suspended, and nobody does without the right to resume it."""
    if instance.status == Status.SUSPENDED:
        return not registration.agent_id and principal.may(OPERATOR, team_id=instance.team_id)
    if instance.status == Status.ERROR:  # its name may have gone to another record meanwhile
        return not Instance.objects.active().filter(name=instance.name).exists()
    return instance.status != Status.DESTROYING


def _free_name(name: str) -> str:
    if Instance.objects.active().filter(name=name).exists():
        raise _taken(name)
    return name


def _taken(name: str) -> Conflict:
    return Conflict(f"An active instance is already named '{name}'")


def _apply(instance: Instance, registration: Registration, now: datetime) -> set[str]:
    """Take over what is told; the names of the fields."""
    told = dict(registration.given)
    if registration.agent_id:
        if registration.agent_id != instance.pk:
            told["external_id"] = registration.agent_id
        told["last_seen_at"] = now
        told["offline_after"] = now + timedelta(seconds=settings.OFFLINE_AFTER_S)
    for name, value in told.items():
        setattr(instance, name, value)
    place = place_of(instance, registration.geo)
    for name, value in place.items():
        setattr(instance, name, value)
    return {*told, *place}
