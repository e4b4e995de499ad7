"""Asking machines to run something, and calling it off (contract: fleet console §12)."""

from collections.abc import Sequence
from datetime import datetime, timedelta
from functools import partial
from typing import Any

from django.conf import settings
from django.db import transaction
from django.utils import timezone

from config.api.authentication import Principal
from config.api.errors import Conflict, Forbidden, NotFound
from config.api.permissions import DEVELOPER, OPERATOR, require
from config.ids import cuid
from fleet.agents import calling
from fleet.commands import recording, rules
from fleet.commands.models import Approval, Batch, Execution, Status
from fleet.commands.specs import Spec, shown_args, shown_env
from fleet.instances.models import Instance
from security.audit.services import record

CANCEL_WITHIN = timedelta(seconds=5)


def targets(*, instance_ids: Sequence[str], principal: Principal, role: str = DEVELOPER) -> list[Instance]:
    """The instances with these ids, each once, in that order.

    Raises NotFound naming those that do not exist for the caller, Forbidden when it lacks the role on one of them.
    """
    if principal.is_agent:
        raise Forbidden("An agent's key cannot run commands")
    wanted = list(dict.fromkeys(instance_ids))
    found = Instance.objects.visible_to(principal).existing().in_bulk(wanted)
    if missing := [one for one in wanted if one not in found]:
        noun = "Instance" if len(missing) == 1 else "Instances"
        raise NotFound(f"{noun} {', '.join(repr(one) for one in missing)} not found")
    for instance in found.values():
        require(principal, role, team_id=instance.team_id)
    return [found[one] for one in wanted]


@transaction.atomic
def ask(
    *, spec: Spec, instances: Sequence[Instance], actor: Principal, request: Any = None, now: datetime | None = None
) -> Batch:
    """Write down what is to run on each instance. Send it with `dispatch.send`; what nobody sends, a tick does.

    What the configuration reserves waits for a second person. Raises TooLarge, Invalid.
    """
    spec.check()
    now = now or timezone.now()
    rule = rules.needing_approval(spec, targets=len(instances))
    batch = Batch(
        user_id=actor.user.pk, asked_by=actor.name, command=spec.command, args=spec.args, env=shown_env(spec.env),
        has_script=spec.script is not None, working_dir=spec.working_dir, timeout_ms=spec.timeout_ms, created_at=now,
    )  # fmt: skip
    batch.sealed = spec.seal(batch)
    if rule:
        batch.approval, batch.approval_rule = Approval.WAITING, rule
        batch.approval_until = now + timedelta(minutes=settings.COMMANDS_APPROVAL_MINUTES)
    batch.save(force_insert=True)
    ready_at = None if rule else now
    at_ms = int(now.timestamp() * 1000)
    rows = [
        Execution(id=cuid(at_ms, order=place), batch=batch, instance=one, created_at=now, ready_at=ready_at)
        for place, one in enumerate(instances)  # results come in the order of the request
    ]
    Execution.objects.bulk_create(rows)
    recording.tell(rows, "asked")
    audit(batch, instances, "EXECUTE", actor=actor, request=request)
    return batch


def audit(
    batch: Batch, instances: Sequence[Instance], action: str, *, actor: Principal, request: Any, **more: Any
) -> None:
    """Write who did what with the batch; call it last in the transaction."""
    teams = {instance.team_id for instance in instances}
    record(
        actor=actor, action=action, resource="command", resource_id=batch.pk, request=request,
        team_id=teams.pop() if len(teams) == 1 else None, command=batch.command, args=shown_args(batch.args),
        script=batch.has_script, instances=[instance.pk for instance in instances], **more,
    )  # fmt: skip


@transaction.atomic
def cancel(*, execution: Execution, actor: Principal, request: Any = None, now: datetime | None = None) -> Execution:
    """Call it off: one that waits ends at once, a running one is killed by its agent, which has 5 s to say so.

    Raises Forbidden, Conflict when it is over.
    """
    require(actor, DEVELOPER, team_id=execution.instance.team_id)
    now, name = now or timezone.now(), actor.name
    unsent = {"fault": f"Cancelled by {name} before it was sent", "cancelled_by": name}
    if recording.finish(execution.pk, Status.FAILED, only=Status.PENDING, now=now, **unsent):
        _withdraw(execution.batch, name, now)
    else:
        running = Execution.objects.filter(pk=execution.pk, status=Status.RUNNING, cancelled_by="")
        if not running.update(cancelled_by=name, deadline_at=now + CANCEL_WITHIN):
            raise Conflict("The command is over or is being cancelled already")
        body = {"command_id": str(execution.correlation_id)}
        transaction.on_commit(partial(calling.send, execution.instance_id, "command:cancel", body))
        recording.tell([execution], "cancelling")
    audit(execution.batch, [execution.instance], "UPDATE", actor=actor, request=request, cancelled=True)
    execution.refresh_from_db()
    return execution


def _withdraw(batch: Batch, name: str, now: datetime) -> None:
    """Nobody needs to approve what has been cancelled altogether."""
    if not batch.executions.filter(status=Status.PENDING).exists():
        waiting = Batch.objects.filter(pk=batch.pk, approval=Approval.WAITING)
        waiting.update(approval=Approval.REJECTED, decided_by=name, decided_at=now, note="Cancelled")


@transaction.atomic
def decide(
    *, batch: Batch, approve: bool, actor: Principal, note: str = "", request: Any = None, now: datetime | None = None
) -> Batch:
    """A second person's word. Raises Forbidden for who asked and below OPERATOR, Conflict when it is settled."""
    executions = list(batch.executions.select_related("instance").order_by("pk"))
    instances = [execution.instance for execution in executions]
    if actor.is_agent or actor.user.pk == batch.user_id:
        raise Forbidden("Another person must decide on this command")
    for instance in instances:
        require(actor, OPERATOR, team_id=instance.team_id)
    now = now or timezone.now()
    verdict = Approval.APPROVED if approve else Approval.REJECTED
    waiting = Batch.objects.filter(pk=batch.pk, approval=Approval.WAITING, approval_until__gt=now)
    if not waiting.update(approval=verdict, decided_by=actor.name, decided_at=now, note=note[:500]):
        raise Conflict("The command does not wait for approval any more")
    if approve and not rules.may_still(batch, instances):
        raise Conflict(f"{batch.asked_by} may not run this any more")
    if approve:
        batch.executions.filter(status=Status.PENDING).update(ready_at=now)
        recording.tell(executions, "approved")
    else:
        for execution in executions:
            fault = f"Rejected by {actor.name}" + (f": {note}" if note else "")
            recording.finish(execution.pk, Status.FAILED, fault=fault, only=Status.PENDING, now=now)
    audit(batch, instances, "UPDATE", actor=actor, request=request, approval=verdict.value, note=note or None)
    batch.refresh_from_db()
    return batch
