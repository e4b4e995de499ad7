"""Teams, who is in them, and which instances are theirs (contract: fleet console §33.2)."""

from typing import Any

from django.db import IntegrityError, transaction
from django.db.models import Count, QuerySet

from config.api.authentication import Principal
from config.api.errors import Conflict, NotFound
from security.accounts.models import Membership, Role, Team, User
from security.audit.services import record


def counted() -> QuerySet[Team]:
    """Teams with `member_count` and `instance_count`."""
    return Team.objects.annotate(
        member_count=Count("memberships", distinct=True), instance_count=Count("instances", distinct=True)
    )


def _facts(team: Team) -> dict[str, Any]:
    return {"name": team.name, "description": team.description}


@transaction.atomic
def create_team(*, name: str, actor: Principal, description: str = "") -> Team:
    """A team without members; raises Conflict when the name is taken."""
    team = Team(name=name, description=description, created_by=actor.user)
    _save(team)
    record(actor=actor, action="CREATE", resource="team", resource_id=team.pk, team_id=team.pk, after=_facts(team))
    return team


@transaction.atomic
def update_team(*, team: Team, actor: Principal, **changes: Any) -> Team:
    """Change name or description; raises Conflict when the name is taken."""
    before = _facts(team)
    for name, value in changes.items():
        setattr(team, name, value)
    _save(team)
    record(
        actor=actor, action="UPDATE", resource="team", resource_id=team.pk, team_id=team.pk,
        before=before, after=_facts(team),
    )  # fmt: skip
    return team


def _save(team: Team) -> None:
    try:
        with transaction.atomic():
            team.save()
    except IntegrityError:
        raise Conflict(f"A team named {team.name} exists already") from None


@transaction.atomic
def delete_team(*, team: Team, actor: Principal) -> None:
    """Remove a team. Its instances stay and belong to no team, so everybody sees them."""
    team_id, before = team.pk, _facts(team)
    team.delete()
    record(actor=actor, action="DELETE", resource="team", resource_id=team_id, team_id=team_id, before=before)


@transaction.atomic
def add_member(*, team: Team, user_id: str, actor: Principal, role: str = Role.DEVELOPER) -> Membership:
    """Put a user into a team; raises NotFound for an unknown user, Conflict for one who is in it already."""
    user = User.objects.filter(pk=user_id).first()
    if user is None:
        raise NotFound(f"User '{user_id}' not found")
    try:
        with transaction.atomic():
            membership = Membership.objects.create(team=team, user=user, role=role)
    except IntegrityError:
        raise Conflict(f"{user.email} is in the team already") from None
    _record_member(membership, "TEAM_ADD", actor, after={"role": role})
    return membership


@transaction.atomic
def change_member(*, membership: Membership, role: str, actor: Principal) -> Membership:
    """Give a member another role in the team."""
    before = {"role": membership.role}
    membership.role = role
    membership.save(update_fields=["role"])
    _record_member(membership, "PERMISSION_CHANGE", actor, before=before, after={"role": role})
    return membership


@transaction.atomic
def remove_member(*, membership: Membership, actor: Principal | None) -> None:
    """Take a user out of a team."""
    before = {"role": membership.role}
    _record_member(membership, "TEAM_REMOVE", actor, before=before)
    membership.delete()


def _record_member(membership: Membership, action: str, actor: Principal | None, **facts: Any) -> None:
    record(
        actor=actor, action=action, resource="team_member", resource_id=membership.user_id,
        team_id=membership.team_id, user=membership.user.email, team=membership.team.name, **facts,
    )  # fmt: skip


@transaction.atomic
def assign_instance(*, team: Team, instance_id: str, actor: Principal) -> Any:
    """Give an instance to a team, which takes it from the one that had it; raises NotFound."""
    instance = team.instances.model.objects.filter(pk=instance_id).first()
    if instance is None:
        raise NotFound(f"Instance '{instance_id}' not found")
    _move_instance(instance, team, actor)
    return instance


@transaction.atomic
def release_instance(*, team: Team, instance_id: str, actor: Principal) -> None:
    """Take an instance from a team; raises NotFound when it is not the team's."""
    instance = team.instances.filter(pk=instance_id).first()
    if instance is None:
        raise NotFound(f"Instance '{instance_id}' not found")
    _move_instance(instance, None, actor)


def _move_instance(instance: Any, team: Team | None, actor: Principal) -> None:
    before = {"team_id": instance.team_id}
    instance.team = team
    instance.save(update_fields=["team", "updated_at"])
    record(
        actor=actor, action="UPDATE", resource="instance", resource_id=instance.pk, team_id=instance.team_id,
        before=before, after={"team_id": instance.team_id},
    )  # fmt: skip
