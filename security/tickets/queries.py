"""Whether callers whose sockets and streams are open may keep them."""

from collections import defaultdict
from collections.abc import Iterable, Iterator
from datetime import datetime
from typing import Any

from django.db.models import Q, QuerySet
from django.utils import timezone

from config.api.authentication import Principal
from security.accounts.models import Membership, Session, User
from security.keys.models import ApiKey
from security.keys.services import cap_of, effective_role

SLICE = 500  # ids in one query


def still_standing(principals: list[Principal]) -> list[bool]:
    """For each caller whether its key, session and user still stand and its rights are those it came with.

    A fixed number of queries for each 500 callers.
    """
    now = timezone.now()
    keys = _rows(
        ApiKey.objects.usable(now), "pk", {one.key_id for one in principals}, "role", "instance_id", "user__role"
    )
    sessions = _rows(Session.objects.alive(now), "public_id", {one.session_id for one in principals}, "user__role")
    agents = {one.user.pk for one in principals if not one.key_id and not one.session_id}
    shared = _rows(User.objects.filter(is_active=True), "pk", agents)
    teams: dict[str, dict[str, str]] = defaultdict(dict)
    members = {one.user.pk for one in principals if not one.is_agent}
    for user_id, team_id, role in _all(Membership.objects.all(), "user_id", members, "team_id", "role"):
        teams[user_id][team_id] = role

    def stands(one: Principal) -> bool:
        if one.key_id:
            row = keys.get(one.key_id)
            return row is not None and same_rights(one, cap_of(row[0], row[1]), row[2])
        if one.session_id:
            row = sessions.get(one.session_id)
            return row is not None and same_rights(one, "", row[0])
        return one.user.pk in shared

    def same_rights(one: Principal, cap: str, role: str) -> bool:
        if one.role != effective_role(cap, role):
            return False
        now_in = {team: effective_role(cap, there) for team, there in teams[one.user.pk].items()}
        return one.is_agent or one.teams == now_in

    return [stands(one) for one in principals]


def ended_keys(since: datetime, now: datetime) -> set[str]:
    """Keys that were revoked or ran out after `since`."""
    over = Q(revoked_at__gt=since) | Q(expires_at__gt=since, expires_at__lte=now)
    return set(ApiKey.objects.filter(over).values_list("pk", flat=True))


def rights_of(people: Iterable[str]) -> dict[str, tuple[Any, ...]]:
    """What the rights of these users rest on: whether they are active, their role, and the roles in their teams."""
    found = _rows(User.objects.all(), "pk", set(people), "is_active", "role")
    teams: dict[str, set[tuple[str, str]]] = defaultdict(set)
    for user_id, team_id, role in _all(Membership.objects.all(), "user_id", set(people), "team_id", "role"):
        teams[user_id].add((team_id, role))
    return {user_id: (*row, teams[user_id]) for user_id, row in found.items()}


def _rows(rows: QuerySet, name: str, ids: Iterable[str | None], *columns: str) -> dict[str, tuple[Any, ...]]:
    return {row[0]: row[1:] for row in _all(rows, name, ids, *columns)}


def _all(rows: QuerySet, name: str, ids: Iterable[str | None], *columns: str) -> Iterator[tuple[Any, ...]]:
    wanted = sorted(filter(None, ids))
    for start in range(0, len(wanted), SLICE):
        yield from rows.filter(**{f"{name}__in": wanted[start : start + SLICE]}).values_list(name, *columns)
