"""Reads of backups and of what is being done."""

from fleet.instances.models import Instance
from fleet.lifecycle.models import Backup, Operation

MOST_BACKUPS = 100


def backups(instance: Instance, *, limit: int = MOST_BACKUPS) -> list[Backup]:
    """The newest backups of the instance."""
    return list(Backup.objects.filter(instance=instance).order_by("-created_at", "-id")[:limit])


def going_on(instance: Instance) -> Operation | None:
    """What is being done to the instance now."""
    return Operation.objects.open().filter(instance=instance).first()
