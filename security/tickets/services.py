"""Single-use tickets for WebSocket upgrades (contract: fleet console §29)."""

import secrets
from hashlib import sha256
from typing import Any

from django.core.cache import cache
from django.utils import timezone

from config.api import scopes
from config.api.authentication import Principal
from config.api.errors import Unauthorized
from security.accounts.models import Session
from security.keys import services as keys
from security.keys.models import ApiKey

LIFETIME_S = 30


def issue(principal: Principal) -> str:
    """A new ticket: 64 hex digits, good for one upgrade within 30 s. Only its digest is stored."""
    ticket = secrets.token_hex(32)
    reference = {"user": principal.user.pk, "key": principal.key_id, "session": principal.session_id}
    cache.add(_name(ticket), reference, LIFETIME_S)  # unlike `set` it says when the cache is away
    return ticket


def redeem(ticket: str, *, scope: str = scopes.EVERYTHING) -> Principal:
    """The caller that asked for the ticket, with the rights of now; raises Unauthorized for any other ticket.

    Raises Forbidden when the scopes of the key behind it do not cover `scope`, which is what the caller is about to do.
    The one who deletes the entry has the ticket, so two upgrades at the same moment cannot both have it.
    """
    name = _name(ticket)
    reference: dict[str, Any] | None = cache.get(name)
    if reference is None or not cache.delete(name):
        raise Unauthorized("The ticket is unknown, used or expired")
    return caller(**reference, scope=scope)


def caller(*, user: str, key: str | None, session: str | None, scope: str = scopes.EVERYTHING) -> Principal:
    """Who came with that key or that session, by their ids, with the rights of now; raises Unauthorized if it ended.

    Raises Forbidden when the key lacks `scope`.
    """
    now = timezone.now()
    if key:
        usable = ApiKey.objects.usable(now).select_related("user")
        if found := usable.filter(pk=key).first():
            return keys.principal_of(found, scope=scope)
    elif session:
        alive = Session.objects.alive(now).select_related("user")
        if signed_in := alive.filter(public_id=session).first():
            return signed_in.user.principal(session_id=signed_in.public_id)
    elif (agent := keys.shared_agent()).user.pk == user:
        return agent
    raise Unauthorized("What the caller came with has ended")


def _name(ticket: str) -> str:
    return f"ticket:{sha256(ticket.encode()).hexdigest()}"
