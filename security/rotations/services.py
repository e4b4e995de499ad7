"""Entering rotations and noting that they were done (contract: fleet console §23)."""

from datetime import datetime, timedelta
from typing import Any

from django.db import transaction

from config.api.authentication import Principal
from config.api.errors import Invalid, Malformed, NotFound
from config.api.permissions import OPERATOR, raised_door, require
from fleet.instances.models import Instance
from security.audit.services import record
from security.rotations.models import Rotation

AHEAD = timedelta(minutes=5)  # that another clock may be ahead of ours


def get_visible(*, principal: Principal | None, pk: str) -> Rotation:
    """Raises Malformed for an impossible id, NotFound for an unknown or invisible one."""
    if len(pk) > 128 or "\x00" in pk:
        raise Malformed("Invalid secret rotation ID")
    found = Rotation.objects.visible_to(principal).select_related("instance").filter(pk=pk).first()
    if found is None:
        raise NotFound(f"Secret rotation '{pk}' not found")
    return found


@transaction.atomic
def enter(
    *, instance: Instance, secret_name: str, actor: Principal, now: datetime, request: Any = None, **fields: Any
) -> Rotation:
    """The rotation of that name on the instance, new or changed. `fields`: secret_type, rotation_days, last_rotated_at.

    What is not given stays as it was. Raises Invalid for a time that lies ahead, Forbidden when the door is raised.
    """
    require(actor, raised_door(OPERATOR), team_id=instance.team_id)
    last = fields.get("last_rotated_at")
    if last and last > now + AHEAD:
        raise Invalid("The last rotation lies ahead", details={"lastRotated": ["This lies ahead."]})
    Instance.objects.select_for_update(no_key=True).get(pk=instance.pk)  # two that enter the same name take turns
    rotation = Rotation.objects.filter(instance=instance, secret_name=secret_name).first()
    before = facts(rotation) if rotation else None
    rotation = rotation or Rotation(instance=instance, secret_name=secret_name)
    for name, value in fields.items():
        setattr(rotation, name, value)
    rotation.set_due()
    rotation.save()
    _audit("UPDATE" if before else "CREATE", rotation, actor, request, before=before, after=facts(rotation))
    return rotation


@transaction.atomic
def rotate(*, rotation: Rotation, actor: Principal, now: datetime, request: Any = None) -> Rotation:
    """Note that the secret has a new value since now."""
    require(actor, raised_door(OPERATOR), team_id=rotation.instance.team_id)
    before = facts(rotation)
    rotation.last_rotated_at = now
    rotation.set_due()
    rotation.save(update_fields=["last_rotated_at", "due_at"])
    _audit("UPDATE", rotation, actor, request, act="rotate", before=before, after=facts(rotation))
    return rotation


def facts(rotation: Rotation) -> dict[str, Any]:
    """What the audit notes."""
    names = ("instance_id", "rotation_days", "last_rotated_at")
    return {"name": rotation.secret_name, "type": rotation.secret_type} | {
        name: getattr(rotation, name) for name in names
    }


def _audit(action: str, rotation: Rotation, actor: Principal, request: Any, **more: Any) -> None:
    record(
        actor=actor, action=action, resource="secret_rotation", resource_id=rotation.pk, request=request,
        team_id=rotation.instance.team_id, **more,
    )  # fmt: skip
