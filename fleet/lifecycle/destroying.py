"""Two routes destroy an instance with the same body (contract: fleet console §5.3)."""

from typing import Any

from config.api.authentication import Principal
from config.api.errors import Invalid
from fleet.instances.models import Instance
from fleet.lifecycle import bodies, services, wire


def destroy(instance: Instance, data: Any, *, actor: Principal, request: Any) -> dict[str, Any]:
    """Destroy as the body says, and the answer. Raises as `services.destroy`, and Invalid."""
    body = bodies.read(bodies.DestroySerializer, data)
    instance, backup = services.destroy(
        instance=instance,
        actor=actor,
        request=request,
        backup_first=body["backup_volume"],
        label=body.get("backup_label") or "",
    )
    message = "The instance will be destroyed once its backup is made" if backup else "Instance destroyed"
    return wire.moved(message, instance) | {"backupId": str(backup.pk) if backup else None}


def remove(instance: Instance, data: Any, *, actor: Principal, request: Any) -> dict[str, Any]:
    """Destroy when the body speaks of a backup, else deregister."""
    if not isinstance(data, dict):
        raise Invalid("The body must be an object")
    if {"backupVolume", "backupLabel"} & set(data):
        return destroy(instance, data, actor=actor, request=request)
    instance = services.deregister(instance=instance, actor=actor, request=request)
    return wire.moved("Instance deregistered", instance) | {"backupId": None}
