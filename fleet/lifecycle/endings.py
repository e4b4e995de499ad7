"""How an action ends: the row, the instance's state, its history, in one transaction."""

from datetime import datetime, timedelta
from typing import Any

from django.conf import settings
from django.db import IntegrityError, transaction

from fleet.agents import calling
from fleet.instances.changes import announce, note
from fleet.instances.models import Event, Instance, Status
from fleet.lifecycle.models import OPEN, Backup, Operation, Progress
from fleet.lifecycle.states import ALLOWED
from fleet.providers.base import BACKUP, DESTROY, RESUME, SUSPEND, Archive, DriverFailed
from security.keys import services as keys
from security.keys.models import ApiKey
from security.vault import services as vault

RESULTS = {
    SUSPEND: (Status.SUSPENDED, Event.Type.SUSPEND),
    RESUME: (Status.RUNNING, Event.Type.RESUME),
    DESTROY: (Status.DESTROYED, Event.Type.DESTROY),
}
FROM = ALLOWED | {DESTROY: (Status.DESTROYING,)}
LONGEST = 500


def complete(operation: Operation, *, touched: bool, now: datetime) -> Instance:
    """The machine was acted upon: so the instance has its new state. Raises DriverFailed when that cannot be."""
    instance = operation.instance
    try:
        with transaction.atomic():
            if not _close(operation, Progress.COMPLETED, None, now):
                raise DriverFailed("It took longer than anybody waited for, and was given up")
            if operation.action != BACKUP:
                _arrive(operation, instance, touched, now)
    except IntegrityError:
        raise DriverFailed("Another active instance has taken its name meanwhile") from None
    return instance


def _arrive(operation: Operation, instance: Instance, touched: bool, now: datetime) -> None:
    to, event = RESULTS[operation.action]
    change: dict[str, Any] = {"status": to, "updated_at": now}
    if to == Status.RUNNING and instance.last_seen_at:
        change["offline_after"] = now + timedelta(seconds=settings.OFFLINE_AFTER_S)
    if not Instance.objects.filter(pk=instance.pk, status__in=FROM[operation.action]).update(**change):
        raise DriverFailed("Its state has changed meanwhile")
    for name, value in change.items():
        setattr(instance, name, value)
    facts: dict[str, Any] = {"driver": operation.driver} if touched else {}
    if operation.action == DESTROY:
        facts |= {"final_status": to, "infra_torn_down": touched}
        for key in ApiKey.objects.filter(instance_id=instance.pk, revoked_at=None):
            keys.revoke(key=key, actor=None)
        vault.forget_deployed(instance_id=instance.pk)
        transaction.on_commit(lambda: calling.hang_up(instance.pk))
    if operation.backup_id:
        facts["backup_id"] = str(operation.backup_id)
    note(instance, event, now=now, by=operation.by or None, **facts)
    announce(instance)


@transaction.atomic
def fail(operation: Operation, why: str, *, now: datetime, **only: Any) -> bool:
    """Nothing came of it, and everybody can see why. A destruction that fails leaves ERROR, all else the old state.

    `only` narrows which row may be ended; False when it was ended already.
    """
    instance = operation.instance
    if not _close(operation, Progress.FAILED, why[:LONGEST], now, **only):
        return False
    lost = Backup.objects.filter(operation=operation, status__in=OPEN)
    if lost.update(status=Progress.FAILED, message=why[:LONGEST], completed_at=now):
        _note_backup(operation, now=now, status=Progress.FAILED, message=f"failed: {why[:LONGEST]}")
    if operation.action != DESTROY:
        announce(instance)
        return True
    gone = Instance.objects.filter(pk=instance.pk, status=Status.DESTROYING)
    if gone.update(status=Status.ERROR, updated_at=now):
        instance.status, instance.updated_at = Status.ERROR, now
        facts = {"infra_torn_down": False, "final_status": Status.ERROR, "reason": why[:LONGEST]}
        note(instance, Event.Type.DESTROY, now=now, by=operation.by or None, **facts)
        announce(instance)
    return True


@transaction.atomic
def keep(operation: Operation, archive: Archive, *, now: datetime) -> None:
    """The backup was made. Raises DriverFailed when nobody waits for it any more."""
    made = Backup.objects.filter(operation=operation, status__in=OPEN)
    if not made.update(
        status=Progress.COMPLETED,
        place=archive.place[:1024],
        size_bytes=archive.size_bytes,
        sha256=archive.sha256,
        message=archive.message,
        completed_at=now,
    ):
        raise DriverFailed("It took longer than anybody waited for, and was given up")
    _note_backup(operation, now=now, status=Progress.COMPLETED, message="made", size_bytes=archive.size_bytes)


def _note_backup(operation: Operation, *, now: datetime, **facts: Any) -> None:
    backup_id = str(operation.backup_id)
    note(operation.instance, Event.Type.BACKUP, now=now, by=operation.by or None, backup_id=backup_id, **facts)


def _close(operation: Operation, status: Progress, message: str | None, now: datetime, **only: Any) -> bool:
    mine = Operation.objects.filter(pk=operation.pk, status__in=OPEN, **only)
    change = {"status": status, "message": message, "completed_at": now, "lease_until": None}
    return bool(mine.update(**change))
