"""What people do with machines (contract: fleet console §5)."""

from typing import Any

from django.db import transaction
from django.db.models import Exists, OuterRef
from django.utils import timezone

from config.api.authentication import Principal
from fleet.instances.changes import announce, audit, note
from fleet.instances.models import Event, Instance, Status, facts
from fleet.lifecycle import operations, running
from fleet.lifecycle.models import Backup, Compression, Operation
from fleet.lifecycle.states import ALLOWED, refused, require_driver
from fleet.providers.base import BACKUP, DESTROY, RESUME, SUSPEND
from security.audit.services import record
from security.keys import services as keys
from security.keys.models import ApiKey
from security.vault import services as vault


def suspend(*, instance: Instance, actor: Principal | None, request: Any = None) -> Instance:
    """RUNNING → SUSPENDED; its driver, if it has one, has stopped the machine by then. Raises as `running`."""
    return _at_once(instance, SUSPEND, actor, request)


def resume(*, instance: Instance, actor: Principal | None, request: Any = None) -> Instance:
    """SUSPENDED, STOPPED or ERROR → RUNNING. An agent that stays silent is noticed after the offline timeout."""
    return _at_once(instance, RESUME, actor, request)


def destroy(
    *, instance: Instance, actor: Principal | None, request: Any = None, backup_first: bool = False, label: str = ""
) -> tuple[Instance, Backup | None]:
    """→ DESTROYING → DESTROYED; the machine has gone by then, if a driver could remove it.

    With `backup_first` a worker makes the backup and then goes on; when the backup fails nothing is removed. Raises
    as `running`, with `Teardown Failed` when the machine could not be removed; the instance is in ERROR then.
    """
    if not backup_first:
        return _at_once(instance, DESTROY, actor, request), None
    backup = _enqueue(instance, DESTROY, actor, request, label=label, compression=Compression.GZIP)
    return instance, backup


def back_up(
    *, instance: Instance, actor: Principal | None, request: Any = None, label: str = "", compression: str = "gzip"
) -> Backup:
    """Ask for a backup, which a worker makes. Raises Conflict, Unavailable."""
    return _enqueue(instance, BACKUP, actor, request, label=label, compression=compression)


@transaction.atomic
def deregister(*, instance: Instance, actor: Principal | None, request: Any = None) -> Instance:
    """→ STOPPED without any teardown. An instance that never reported is DESTROYED and its keys end.

    Raises Conflict when the state or an action that goes on forbids it.
    """
    now, before, unseen = timezone.now(), facts(instance), instance.awaiting_first_contact
    allowed, to = ((Status.UNKNOWN,), Status.DESTROYED) if unseen else (ALLOWED[DESTROY], Status.STOPPED)
    busy = Operation.objects.open().filter(instance=OuterRef("pk"))
    claimed = Instance.objects.filter(~Exists(busy), pk=instance.pk, status__in=allowed)
    if not claimed.update(status=to, updated_at=now):
        instance.refresh_from_db(fields=["status"])
        raise refused(instance, DESTROY, "" if instance.status not in allowed else ": something is being done to it")
    if unseen:
        for key in ApiKey.objects.filter(instance_id=instance.pk, revoked_at=None):
            keys.revoke(key=key, actor=actor)
        vault.forget_deployed(instance_id=instance.pk)
    instance.status, instance.updated_at = to, now
    note(instance, Event.Type.DESTROY, now=now, by=actor.name if actor else None, final_status=to)
    announce(instance)
    audit(instance, "DESTROY", actor=actor, request=request, before=before)
    return instance


def _at_once(instance: Instance, action: str, actor: Principal | None, request: Any) -> Instance:
    started = running.start(instance=instance, action=action, actor=actor)
    running.attempt([started])
    return running.finish(started, actor=actor, request=request)


@transaction.atomic
def _enqueue(
    instance: Instance, action: str, actor: Principal | None, request: Any, *, label: str, compression: str
) -> Backup:
    """Leave an action with a backup to a worker."""
    from fleet.lifecycle.tasks import carry_out

    now, before = timezone.now(), facts(instance)
    if instance.status not in ALLOWED[action]:
        raise refused(instance, action)
    driver = require_driver(instance, *({BACKUP, action}))
    prefix = "backup" if action == BACKUP else "pre-destroy"
    backup = Backup(
        instance=instance,
        label=label or f"{prefix}-{instance.name}-{int(now.timestamp() * 1000)}"[:256],
        compression=compression,
        driver=driver.name,
        by=running.name_of(actor),
        created_at=now,
    )
    operation = operations.begin(instance=instance, action=action, driver=driver, by=backup.by, backup=backup, now=now)
    transaction.on_commit(lambda: carry_out.delay(str(operation.pk)), robust=True)  # a tick sends it again
    if action == DESTROY:
        audit(instance, "DESTROY", actor=actor, request=request, before=before, backup_id=str(backup.pk))
    else:
        record(
            actor=actor, action="CREATE", resource="backup", resource_id=str(backup.pk), team_id=instance.team_id,
            request=request, after={"instance": instance.pk, "label": backup.label, "compression": compression},
        )  # fmt: skip
    return backup
