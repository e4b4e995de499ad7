"""What people do with the records of instances (contract: fleet console §4)."""

from typing import Any

from django.db import IntegrityError, transaction

from config.api.authentication import Principal
from config.api.errors import Conflict, Forbidden, Invalid, NotFound
from config.api.permissions import OPERATOR
from fleet.instances.changes import announce, audit
from fleet.instances.models import Instance, Provider, Status, facts
from fleet.lifecycle import services as lifecycle
from security.accounts.models import Role, Team, User
from security.keys import services as keys
from security.keys.models import ApiKey


def change(
    *, instance: Instance, actor: Principal, request: Any = None, tags: dict[str, str] | None = None,
    status: str | None = None, **team: str | None,
) -> Instance:  # fmt: skip
    """Change status, tags and team (`team_id=None` takes it away); when one of them cannot be, nothing is changed.

    The status moves as suspend, resume and deregister do. Raises NotFound for a team that the actor cannot see,
    Forbidden for one where it is no operator, Conflict for an impossible move, and what a driver's failure raises.
    """
    chosen = _team_for(team["team_id"], actor) if "team_id" in team else instance.team
    if status and status != instance.status:
        moves = {
            Status.SUSPENDED: lifecycle.suspend,
            Status.RUNNING: lifecycle.resume,
            Status.STOPPED: lifecycle.deregister,
        }
        instance = moves[Status(status)](instance=instance, actor=actor, request=request)
    with transaction.atomic():
        before = facts(instance)
        if tags is not None:
            instance.tags = tags
        instance.team = chosen
        instance.save(update_fields=["tags", "team", "updated_at"])
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
