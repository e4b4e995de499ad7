"""Roles and how a route declares the one it needs (contract: fleet console §1.3)."""

from operator import attrgetter
from typing import Any

from django.conf import settings
from rest_framework.permissions import BasePermission

from config.api.errors import Forbidden, Unauthorized

VIEWER, DEVELOPER, OPERATOR, ADMIN = ROLES = ("VIEWER", "DEVELOPER", "OPERATOR", "ADMIN")
ANYONE = "ANYONE"  # a route that needs no key says so
AGENT = "AGENT"  # a route for the agents of an app, which knows their tokens; no key of a person opens it
RANK = {role: rank for rank, role in enumerate(ROLES)}
NO_KEY = "Authentication required. Send an API key in the Authorization (Bearer) or X-Api-Key header."


def highest(*roles: str | None) -> str:
    """The strongest of the given roles; VIEWER when there are none."""
    return max((role for role in roles if role), key=RANK.__getitem__, default=VIEWER)


def raised_door(role: str) -> str:
    """What a door needs that the reference leaves to VIEWER: `role` with FLEET_STRICT_ROLES, else VIEWER.

    For services whose route declares VIEWER (contract: fleet console §1.3):
    `require(actor, raised_door(OPERATOR), team_id=...)`.
    """
    return role if settings.STRICT_ROLES else VIEWER


def require(principal: Any, role: str, *, team_id: str | None = None) -> None:
    """Raise Unauthorized without a principal, Forbidden below `role` (counting the role in the team, if given)."""
    if role == ANYONE:
        return
    if principal is None:
        raise Unauthorized(NO_KEY)
    if not principal.may(role, team_id=team_id):
        raise Forbidden(f"This action requires the {role} role or higher")


def needed_role(view: Any, method: str) -> str | None:
    """What a view declares for an HTTP method: by action for viewsets, by method for plain views."""
    roles = getattr(view, "roles", {})
    action = getattr(view, "action", None) or (getattr(view, "action_map", None) or {}).get(method.lower())
    return roles.get(action) or roles.get(method.lower())


class HasRole(BasePermission):
    """Compares the principal's rank with what the view declares in `roles`. No declaration means no access.

    A view whose objects belong to teams names the way to the team in `team_attr` ("team_id", "instance.team_id"):
    its detail routes, and the actions in `by_team`, are then open to a person whom a team raises to the role, for that
    team's objects.
    """

    def has_permission(self, request: Any, view: Any) -> bool:
        role = needed_role(view, request.method)
        principal = request.auth
        if role is None:
            if principal is None and ANYONE not in getattr(view, "roles", {}).values():
                raise Unauthorized(NO_KEY)
            return True  # no handler either: DRF answers 405
        of_teams = getattr(view, "detail", False) or getattr(view, "action", None) in getattr(view, "by_team", ())
        if getattr(view, "team_attr", None) and of_teams and principal is not None:
            if not principal.may_somewhere(role):
                raise Forbidden(f"This action requires the {role} role or higher")
            return True
        require(principal, role)
        return True

    def has_object_permission(self, request: Any, view: Any, obj: Any) -> bool:
        role = needed_role(view, request.method)
        path = getattr(view, "team_attr", None)
        if role and path and not request.auth.may(role, team_id=attrgetter(path)(obj)):
            raise Forbidden(f"This action requires the {role} role or higher")
        return True


class AgentOrRole(HasRole):
    """Agents' keys speak for their instances without any rank; the service looks which."""

    def has_permission(self, request: Any, view: Any) -> bool:
        return bool(request.auth and request.auth.is_agent) or super().has_permission(request, view)
