"""How actions and backups look in answers (contract: fleet console §5.3)."""

from typing import Any

from config.api.fields import milliseconds
from fleet.instances.models import Instance
from fleet.lifecycle.models import Backup


def moved(message: str, instance: Instance) -> dict[str, Any]:
    return {"message": message, "id": instance.pk, "name": instance.name, "status": instance.status}


def cloned(made: Instance, source: Instance) -> dict[str, Any]:
    return {
        "id": made.pk,
        "name": made.name,
        "provider": made.provider,
        "region": made.region,
        "extensions": made.extensions,
        "configHash": made.config_hash,
        "status": made.status,
        "clonedFrom": source.pk,
        "createdAt": milliseconds(made.created_at),
        "updatedAt": milliseconds(made.updated_at),
    }


def redeploying(instance: Instance, deployment_id: str) -> dict[str, Any]:
    return {
        "id": instance.pk,
        "name": instance.name,
        "status": instance.status,
        "deploymentId": deployment_id,
        "message": "Redeployment started",
        "updatedAt": milliseconds(instance.updated_at),
    }


def shown(backup: Backup) -> dict[str, Any]:
    return {
        "backupId": str(backup.pk),
        "instanceId": backup.instance_id,
        "label": backup.label,
        "status": backup.status,
        "createdAt": milliseconds(backup.created_at),
    }


def made(backup: Backup) -> dict[str, Any]:
    """What is known of it so far."""
    return {
        "compression": backup.compression,
        "driver": backup.driver,
        "place": backup.place,
        "sizeBytes": None if backup.size_bytes is None else str(backup.size_bytes),
        "sha256": backup.sha256,
        "message": backup.message,
        "completedAt": milliseconds(backup.completed_at),
    }
