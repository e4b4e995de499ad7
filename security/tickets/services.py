"""Single-use tickets for WebSocket upgrades (contract: fleet console §29)."""

import secrets
from hashlib import sha256
from typing import Any

from django.core.cache import cache
from django.utils import timezone

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
    cache.set(_name(ticket), reference, LIFETIME_S)
    return ticket


def redeem(ticket: str) -> Principal:
    """The caller that asked for the ticket, with the rights of now; raises Unauthorized for any other ticket.

    The one who deletes the entry has the ticket, so two upgrades at the same moment cannot both have it.
    """
    name = _name(ticket)
    reference: dict[str, Any] | None = cache.get(name)
    if reference is None or not cache.delete(name):
        raise Unauthorized("The ticket is unknown, used or expired")
    return _principal(reference)


def _principal(reference: dict[str, Any]) -> Principal:
    now = timezone.now()
    if reference["key"]:
        key = ApiKey.objects.usable(now).select_related("user").filter(pk=reference["key"]).first()
        if key:
            return keys.principal_of(key)
    elif reference["session"]:
        alive = Session.objects.alive(now).select_related("user")
        if session := alive.filter(public_id=reference["session"]).first():
            return session.user.principal(session_id=session.public_id)
    elif (agent := keys.shared_agent()).user.pk == reference["user"]:
        return agent
    raise Unauthorized("What the ticket was issued for has ended")


def _name(ticket: str) -> str:
    return f"ticket:{sha256(ticket.encode()).hexdigest()}"
