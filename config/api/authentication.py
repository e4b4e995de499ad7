"""Who is calling: one `Principal` for HTTP, sockets and tasks alike (contract: fleet console §1.2)."""

from dataclasses import dataclass, field
from typing import Any

from django.conf import settings
from django.utils.module_loading import import_string
from rest_framework.authentication import BaseAuthentication

from config.api.permissions import ADMIN, RANK, VIEWER, highest


@dataclass(frozen=True)
class Principal:
    """A caller: its user, the key or the session (its public id) it used, its role and the roles in its teams.

    `instance_id` is set when the key speaks for that one instance only. `scopes` narrow a key to some APIs
    (`config.api.scopes`); none is all of them.
    """

    user: Any
    role: str = VIEWER
    teams: dict[str, str] = field(default_factory=dict)
    key_id: str | None = None
    key_prefix: str | None = None
    instance_id: str | None = None
    is_agent: bool = False
    session_id: str | None = None
    scopes: tuple[str, ...] = ()

    @property
    def sees_all(self) -> bool:
        return self.role == ADMIN or (self.is_agent and self.instance_id is None)

    def may(self, role: str, *, team_id: str | None = None) -> bool:
        """Whether the rank suffices, counting the role in the object's team: teams raise, never lower."""
        return RANK[highest(self.role, self.teams.get(team_id) if team_id else None)] >= RANK[role]

    def may_somewhere(self, role: str) -> bool:
        """Whether the rank suffices at least in one team."""
        return RANK[highest(self.role, *self.teams.values())] >= RANK[role]

    def may_open(self, role: str) -> bool:
        """Whether a page for that role opens. What needs ADMIN concerns the whole product: no team gives it."""
        return self.may(role) if role == ADMIN else self.may_somewhere(role)

    @property
    def name(self) -> str:
        """How the caller is named to people: a person by e-mail address, a service by its name."""
        return self.user.label


def authenticate(request: Any) -> Principal | None:
    """The caller of a Django request; None when it sent nothing.

    Raises Unauthorized for a bad key, Forbidden for a cookie that another site's page sent along with a write.

    A key header, if present, decides alone; then the session cookie. Which code looks keys up is a setting, so that
    this package knows no app.
    """
    return import_string(settings.API_AUTHENTICATE)(request)


class PrincipalAuthentication(BaseAuthentication):
    """Hands what the middleware found to DRF: `request.user`, and `request.auth` as the principal."""

    def authenticate(self, request: Any) -> tuple[Any, Principal] | None:
        if refusal := request._request.refusal:
            raise refusal
        principal = request._request.principal
        return (principal.user, principal) if principal else None

    def authenticate_header(self, request: Any) -> str:
        return "Bearer"
