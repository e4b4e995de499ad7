"""Who speaks for an instance, and what an agent's words change (contract: fleet console §31.2, §31.4, §31.5)."""

from datetime import datetime, timedelta
from typing import Any, NamedTuple

import msgspec
from django.db import IntegrityError, transaction
from django.db.models import Q
from django.utils import timezone

from config.api.authentication import Principal
from config.api.errors import Forbidden, Invalid, NotFound
from config.api.permissions import OPERATOR
from fleet.agents.reports import cleaned, moment
from fleet.agents.shapes import Extension, Happening, Process
from fleet.instances.bodies import AgentRegistrationSerializer
from fleet.instances.changes import announce, tell, write
from fleet.instances.models import INACTIVE, Event, Instance, Inventory
from fleet.instances.places import place_of
from fleet.instances.queries import MAX_PROCESSES

CLOCK_TOLERANCE = timedelta(minutes=10)
MAX_METADATA_BYTES = 16 * 1024
EXTENSION_STATES = ("healthy", "degraded", "installing", "stalled", "error", "unknown")


class Bound(NamedTuple):
    """An instance that a connection speaks for, and the names that its agent may use for it."""

    instance_id: str
    names: frozenset[str]


def may_speak(principal: Principal) -> bool:
    """Whether the caller can be an agent at all: an agent key, or an operator's key."""
    return principal.is_agent or (principal.key_id is not None and principal.may_somewhere(OPERATOR))


def bind(*, reference: str, principal: Principal, adopt: bool = True) -> Bound:
    """The instance that the caller means by `reference`: an id, what the agent registered as, or an active name.

    A key bound to an instance opens that one only; with `adopt` its first contact tells what the agent calls itself.
    Raises NotFound when there is no such instance for the caller, Forbidden when it may not speak for it.
    """
    unknown = NotFound(f"Unknown instance ID: {reference}")
    if len(reference) > 256 or "\x00" in reference:
        raise NotFound("Unknown instance ID")
    mine = Instance.objects.visible_to(principal).existing()
    if principal.instance_id:
        instance = mine.first()
        if adopt and instance and instance.external_id is None and reference not in (instance.pk, instance.name):
            _adopt(instance, reference)
    else:
        instance = (
            mine.filter(pk=reference).first()
            or mine.filter(external_id=reference).order_by("-created_at", "-pk").first()
            or mine.active().filter(name=reference).first()
        )
    if instance is None or reference not in (names := frozenset(_names(instance))):
        raise unknown
    if not (may_speak(principal) and (principal.is_agent or principal.may(OPERATOR, team_id=instance.team_id))):
        raise Forbidden("Only an agent key or an operator's key may speak for an instance")
    return Bound(instance.pk, names)


def _adopt(instance: Instance, reference: str) -> None:
    """Note what the agent of an enrolled instance calls itself, unless that means another instance."""
    meant = Q(pk=reference) | Q(external_id=reference) | (Q(name=reference) & ~Q(status__in=INACTIVE))
    if len(reference) <= 128 and not Instance.objects.existing().filter(meant).exists():
        Instance.objects.filter(pk=instance.pk, external_id=None).update(external_id=reference)
        instance.refresh_from_db(fields=["external_id"])


def _names(instance: Instance) -> list[str]:
    return [name for name in (instance.pk, instance.external_id, instance.name) if name]


@transaction.atomic
def refresh(*, instance_id: str, facts: dict[str, Any], now: datetime | None = None) -> bool:
    """Store what an agent says of its machine (fields of the record); False when nothing is new."""
    instance = Instance.objects.filter(pk=instance_id).first()
    if instance is None:
        return False
    fresh = {name: value for name, value in facts.items() if getattr(instance, name) != value}
    if not fresh:
        return False
    fresh["updated_at"] = now or timezone.now()
    Instance.objects.filter(pk=instance_id).update(**fresh)
    for name, value in fresh.items():
        setattr(instance, name, value)
    announce(instance)
    return True


def refresh_registration(*, instance_id: str, body: Any) -> None:
    """Take over a registration that comes over the socket; status and name stay. Raises Invalid."""
    form = AgentRegistrationSerializer(data=body)
    if not form.is_valid():
        raise Invalid("The registration breaks a rule: " + ", ".join(map(str, form.errors)))
    registration = form.registration()
    instance = Instance.objects.filter(pk=instance_id).first()
    if instance is None:
        return
    for name, value in registration.given.items():
        setattr(instance, name, value)
    refresh(instance_id=instance_id, facts=registration.given | place_of(instance, registration.geo))


@transaction.atomic
def note_happening(*, instance_id: str, happening: Happening, now: datetime | None = None) -> None:
    """Write an agent's event into the history; an unknown type becomes ERROR and keeps its name in the metadata.

    Raises Invalid without a type.
    """
    now = now or timezone.now()
    raw = happening.event_type or happening.camel_type
    if not raw:
        raise Invalid("event_type is missing")
    type, metadata = raw.upper().replace(":", "_").replace("-", "_"), _metadata(happening)
    if type not in Event.Type.values:
        type, metadata = Event.Type.ERROR, {**metadata, "type": cleaned(raw[:128])}
    at = min(max(moment(happening.timestamp) or now, now - CLOCK_TOLERANCE), now + CLOCK_TOLERANCE)
    if instance := Instance.objects.filter(pk=instance_id).first():
        write(instance, type, at=at, metadata=metadata)


def _metadata(happening: Happening) -> dict[str, Any]:
    try:
        metadata = cleaned(happening.metadata or {})
        if len(msgspec.json.encode(metadata)) > MAX_METADATA_BYTES:
            raise Invalid(f"metadata is larger than {MAX_METADATA_BYTES} bytes")
    except RecursionError:
        raise Invalid("metadata is nested too deeply") from None
    return metadata if happening.message is None else {"message": cleaned(happening.message), **metadata}


def store_inventory(
    *,
    instance_id: str,
    processes: list[Process] | None = None,
    extensions: list[Extension] | None = None,
    now: datetime | None = None,
) -> None:
    """Keep the newest lists; the busiest processes only. A list that is None leaves the earlier one."""
    now = now or timezone.now()
    try:
        with transaction.atomic():
            instance = Instance.objects.filter(pk=instance_id).first()
            if instance is None:
                return
            inventory, _ = Inventory.objects.select_for_update().get_or_create(instance=instance)
            if processes is not None:
                inventory.processes, inventory.processes_at = _busiest(processes), now
                tell(instance, {"kind": "processes"}, fleet=False)
            if extensions is not None:
                inventory.extensions = _with_since(extensions, inventory.extensions or [], now)
                inventory.extensions_at = now
                tell(instance, {"kind": "extensions"}, fleet=False)
            inventory.save()
    except IntegrityError:  # the instance went meanwhile
        return


def _busiest(processes: list[Process]) -> list[dict[str, Any]]:
    rows = sorted(processes, key=lambda process: process.cpu_percent or 0, reverse=True)[:MAX_PROCESSES]
    return [{name: cleaned(getattr(row, name)) for name in Process.__struct_fields__} for row in rows]


def _with_since(extensions: list[Extension], before: list[dict[str, Any]], now: datetime) -> list[dict[str, Any]]:
    """Each extension with its state and since when it has that."""
    earlier = {row["name"]: row for row in before}
    rows = []
    for extension in extensions:
        name = cleaned(extension.name)
        status = extension.status if extension.status in EXTENSION_STATES else "unknown"
        same = earlier.get(name, {}).get("status") == status
        since = earlier[name]["since"] if same else now.isoformat()
        rows.append({"name": name, "version": cleaned(extension.version), "status": status, "since": since})
    return rows
