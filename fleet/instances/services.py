"""What people do with instances (contract: fleet console §4, §5)."""

from datetime import datetime, timedelta
from typing import Any

from django.conf import settings
from django.db import IntegrityError, transaction
from django.utils import timezone

from config.api.authentication import Principal
from config.api.errors import Conflict, Forbidden, Invalid, NotFound, Unavailable
from config.api.permissions import OPERATOR
from fleet.instances.changes import announce, audit, note
from fleet.instances.models import Event, Instance, Provider, Status, facts
from security.accounts.models import Role, Team, User
from security.keys import services as keys
from security.keys.models import ApiKey

ACTIONS = {
    Status.RUNNING: ("suspend", "destroy", "backup"),
    Status.SUSPENDED: ("resume", "destroy", "backup"),
    Status.STOPPED: ("resume", "destroy"),
    Status.ERROR: ("resume", "destroy"),
}
RESUMABLE = (Status.SUSPENDED, Status.STOPPED, Status.ERROR)
REMOVABLE = (Status.RUNNING, Status.SUSPENDED, Status.STOPPED, Status.ERROR, Status.DESTROYING)


def available_actions(instance: Instance) -> list[str]:
    """What the state allows (contract: fleet console §5.1)."""
    return list(ACTIONS.get(Status(instance.status), ()))


def suspend(*, instance: Instance, actor: Principal | None, request: Any = None) -> Instance:
    """RUNNING → SUSPENDED; the machine itself is not touched. Raises Conflict in any other state."""
    return _move(instance, (Status.RUNNING,), Status.SUSPENDED, "suspended", Event.Type.SUSPEND, actor, request)


def resume(*, instance: Instance, actor: Principal | None, request: Any = None) -> Instance:
    """SUSPENDED, STOPPED or ERROR → RUNNING. An agent that stays silent is noticed after the offline timeout."""
    return _move(instance, RESUMABLE, Status.RUNNING, "resumed", Event.Type.RESUME, actor, request)


@transaction.atomic
def deregister(*, instance: Instance, actor: Principal | None, request: Any = None) -> Instance:
    """→ STOPPED without any teardown. An instance that never reported is DESTROYED and its keys end.

    Raises Conflict when the state does not allow it.
    """
    if not instance.awaiting_first_contact:
        return _move(
            instance, REMOVABLE, Status.STOPPED, "destroyed", Event.Type.DESTROY, actor, request,
            final_status=Status.STOPPED,
        )  # fmt: skip
    for key in ApiKey.objects.filter(instance_id=instance.pk, revoked_at=None):
        keys.revoke(key=key, actor=actor)
    return _move(
        instance, (Status.UNKNOWN,), Status.DESTROYED, "destroyed", Event.Type.DESTROY, actor, request,
        final_status=Status.DESTROYED,
    )  # fmt: skip


def destroy(*, instance: Instance, actor: Principal | None, request: Any = None) -> Instance:
    """Tear the machine down. No provider driver exists yet, so nothing is changed and Unavailable is raised."""
    raise Unavailable(
        f"'{instance.name}' runs on a machine that Pharos cannot tear down or back up: no driver is set up for the "
        f"provider {instance.provider}. Nothing was changed. Send no body to deregister the instance."
    )


@transaction.atomic
def change(
    *, instance: Instance, actor: Principal, request: Any = None, tags: dict[str, str] | None = None,
    status: str | None = None, **team: str | None,
) -> Instance:  # fmt: skip
    """Change tags, team (`team_id=None` takes it away) and status in one go; all or nothing.

    The status moves as suspend, resume and deregister do. Raises NotFound for a team that the actor cannot see,
    Forbidden for one where it is no operator, Conflict for an impossible move.
    """
    before = facts(instance)
    if tags is not None:
        instance.tags = tags
    if "team_id" in team:
        instance.team = _team_for(team["team_id"], actor)
    instance.save(update_fields=["tags", "team", "updated_at"])
    if status and status != instance.status:
        moves = {Status.SUSPENDED: suspend, Status.RUNNING: resume, Status.STOPPED: deregister}
        moves[Status(status)](instance=instance, actor=actor, request=request)
    announce(instance)
    audit(instance, "UPDATE", actor=actor, request=request, before=before)
    return instance


def _team_for(team_id: str | None, actor: Principal) -> Team | None:
    if team_id is None:
        return None
    team = Team.objects.filter(pk=team_id).first()
    if team is None or not (actor.sees_all or team_id in actor.teams):
        raise NotFound(f"Team '{team_id}' not found")
    if not actor.may(OPERATOR, team_id=team_id):
        raise Forbidden("This action requires the OPERATOR role or higher in that team")
    return team


def enroll(
    *,
    name: str,
    provider: str = Provider.SSH,
    labels: dict[str, str] | None = None,
    team: Team | None = None,
    actor: Principal | None = None,
    request: Any = None,
) -> tuple[Instance, str]:
    """A record for a machine that will report, and the raw key of its agent, which nobody can read again.

    The record is UNKNOWN with `last_seen_at` null until the agent's first contact. The key opens this instance only.
    Raises Conflict when an active instance has the name, Invalid for an unusable name.
    """
    if not name or len(name) > 128 or "\x00" in name:
        raise Invalid("A name has 1 to 128 characters", details={"name": ["Give 1 to 128 characters."]})
    try:
        with transaction.atomic():
            instance = Instance.objects.create(
                name=name, provider=provider, tags=labels or {}, team=team, status=Status.UNKNOWN
            )
            _, raw = new_agent_key(instance=instance, actor=actor)
            announce(instance)
            audit(instance, "CREATE", actor=actor, request=request)
    except IntegrityError:
        raise Conflict(f"An active instance is already named '{name}'") from None
    return instance, raw


@transaction.atomic
def new_agent_key(*, instance: Instance, actor: Principal | None = None) -> tuple[ApiKey, str]:
    """Another agent key for the instance: of a service user, with the rank of an operator, for this instance only."""
    email = f"agent-{instance.pk}@service.pharos.internal"
    user, _ = User.objects.get_or_create(
        email=email,
        defaults={
            "name": f"Agent of {instance.name}"[:128],
            "role": Role.OPERATOR,
            "kind": User.Kind.SERVICE,
            "password": "!",
        },
    )
    return keys.create_key(user=user, name=f"Agent of {instance.name}"[:100], instance_id=instance.pk, actor=actor)


@transaction.atomic
def _move(
    instance: Instance, allowed: tuple[str, ...], to: str, verb: str, event: str,
    actor: Principal | None, request: Any, *, now: datetime | None = None, **metadata: Any,
) -> Instance:  # fmt: skip
    """One change of state: claimed by a conditional update, noted, told and audited."""
    now, before = now or timezone.now(), facts(instance)
    claimed = Instance.objects.filter(pk=instance.pk, status__in=allowed)
    changes: dict[str, Any] = {"status": to, "updated_at": now}
    if to == Status.RUNNING and instance.last_seen_at:
        changes["offline_after"] = now + timedelta(seconds=settings.OFFLINE_AFTER_S)
    try:
        with transaction.atomic():
            won = claimed.update(**changes)
    except IntegrityError:
        raise Conflict(f"Instance '{instance.name}' cannot be {verb}: another active one has its name") from None
    if not won:
        instance.refresh_from_db(fields=["status"])
        raise Conflict(f"Instance '{instance.name}' cannot be {verb} while it is {instance.status}")
    for name, value in changes.items():
        setattr(instance, name, value)
    note(instance, event, now=now, by=actor.name if actor else None, **metadata)
    announce(instance)
    action = {"suspended": "SUSPEND", "resumed": "RESUME", "destroyed": "DESTROY"}[verb]
    audit(instance, action, actor=actor, request=request, before=before)
    return instance
