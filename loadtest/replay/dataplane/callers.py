"""Who asks on the data plane: found once, believed for 2 s (contract: traffic replay §2)."""

from collections.abc import Mapping
from dataclasses import dataclass

from config.api.authentication import Principal
from config.api.errors import Unauthorized
from config.api.permissions import NO_KEY, OPERATOR
from config.api.scopes import REPLAY_WRITE
from fleet.agents.ingest import KEY_KEPT_S, Memory
from fleet.instances.models import Instance
from security.keys import replay_token
from security.keys.services import authenticate_key, digest_of, key_from_headers

INJECT = "/v1/inject"


@dataclass(frozen=True)
class Caller:
    """A principal with the teams whose sessions it sees; None for all."""

    principal: Principal
    teams: frozenset[str] | None

    def sees(self, team_id: str | None) -> bool:
        return self.teams is None or team_id is None or team_id in self.teams

    def may_ask(self, team_id: str | None) -> bool:
        """Gateways' and agents' keys may, people from operator on."""
        return self.principal.is_agent or self.principal.may(OPERATOR, team_id=team_id)


callers = Memory(KEY_KEPT_S)


def caller_of(principal: Principal) -> Caller:
    """The caller that a principal is. A key bound to an instance belongs to that instance's team."""
    if principal.instance_id:
        teams = Instance.objects.filter(pk=principal.instance_id, team_id__isnull=False)
        return Caller(principal, frozenset(teams.values_list("team_id", flat=True)))
    return Caller(principal, None if principal.sees_all else frozenset(principal.teams))


def key_of(headers: Mapping[str, str]) -> str:
    """The credential of a request, by the names of both OTLP endpoints. Raises Unauthorized without any."""
    key = key_from_headers(headers) or headers.get("X-Public-Key", "").strip()
    if not key:
        raise Unauthorized(NO_KEY)
    return key


def known(key: str) -> Caller | None:
    """Who was found by that key a moment ago."""
    return callers.get(digest_of(key))


def find(key: str) -> Caller:
    """Whose key it is. Raises Unauthorized, and Forbidden when its scopes leave replay out."""
    principal = replay_token.principal_of(key, INJECT) or authenticate_key(key, scope=REPLAY_WRITE)
    return callers.put(digest_of(key), caller_of(principal))
