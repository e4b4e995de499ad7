"""One action on one machine is begun by one transaction, done by its driver outside of any, ended by another one.

Whoever loses a race sees it in a conditional update or a constraint, before the machine is touched.
"""

from datetime import datetime

from django.db import IntegrityError, transaction

from fleet.instances.changes import announce, note
from fleet.instances.models import Event, Instance, Status
from fleet.lifecycle.leases import LEASE
from fleet.lifecycle.models import Backup, Operation, Progress
from fleet.lifecycle.states import ALLOWED, DONE, refused
from fleet.providers.base import DESTROY, RESUME, Driver


@transaction.atomic
def begin(
    *, instance: Instance, action: str, driver: Driver, by: str, now: datetime, backup: Backup | None = None
) -> Operation:
    """Claim the instance for this action. Raises Conflict when its state forbids it or something else is going on.

    With a backup it waits for a worker, else it is the caller's. A destruction shows at once: the instance is
    DESTROYING from here on.
    """
    if action == RESUME and _name_is_taken(instance):
        raise refused(instance, action, ": another active one has its name")
    claimed = Instance.objects.filter(pk=instance.pk, status__in=ALLOWED[action])
    change = {"status": Status.DESTROYING, "updated_at": now} if action == DESTROY else {"updated_at": now}
    taken = {"status": Progress.IN_PROGRESS, "started_at": now, "lease_until": now + LEASE}
    start = {} if backup else taken
    try:
        with transaction.atomic():
            if backup:
                backup.save(force_insert=True)
            operation = Operation.objects.create(
                instance=instance, action=action, driver=driver.name, by=by, backup=backup, created_at=now, **start
            )
            if not claimed.update(**change):
                raise _Changed
    except IntegrityError:
        raise refused(instance, action, f": it is {_going_on(instance)}") from None
    except _Changed:
        instance.refresh_from_db(fields=["status"])
        raise refused(instance, action) from None
    if action == DESTROY:
        instance.status, instance.updated_at = Status.DESTROYING, now
        announce(instance)
    if backup:
        facts = {"backup_id": str(backup.pk), "label": backup.label, "status": backup.status, "message": "asked for"}
        note(instance, Event.Type.BACKUP, now=now, by=by, **facts)
    return operation


def claim(operation: Operation, *, now: datetime) -> bool:
    """Take an operation that waits; False when somebody else has it."""
    waiting = Operation.objects.filter(pk=operation.pk, status=Progress.PENDING)
    if not waiting.update(status=Progress.IN_PROGRESS, started_at=now, lease_until=now + LEASE):
        return False
    if operation.backup_id:
        Backup.objects.filter(pk=operation.backup_id).update(status=Progress.IN_PROGRESS)
    return True


class _Changed(Exception):
    """The state is another one meanwhile; what was written is taken back."""


def _name_is_taken(instance: Instance) -> bool:
    return Instance.objects.active().filter(name=instance.name).exclude(pk=instance.pk).exists()


def _going_on(instance: Instance) -> str:
    action = Operation.objects.open().filter(instance=instance).values_list("action", flat=True).first()
    return f"being {DONE[action]} already" if action else "busy"
