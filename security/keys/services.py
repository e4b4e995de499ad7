"""API keys: making, looking up, rotating, revoking (contract: fleet console §1.2)."""

import hmac
import secrets
from collections.abc import Iterable
from datetime import datetime, timedelta
from hashlib import sha256
from typing import Any

from django.apps import apps
from django.conf import settings
from django.contrib.auth.middleware import get_user
from django.db import transaction
from django.db.models import QuerySet
from django.http import HttpRequest
from django.utils import timezone

from config.api import scopes as words
from config.api.authentication import Principal
from config.api.envelopes import envelope_for
from config.api.errors import Conflict, Forbidden, NotFound, Unauthorized
from config.api.permissions import OPERATOR, RANK, VIEWER, require
from security.accounts import sessions
from security.accounts.models import User
from security.audit.services import record
from security.keys import anonymous, refusals, replay_token
from security.keys.models import ApiKey
from security.keys.origins import from_our_pages
from security.second_factor import policy as second_factor

SAFE = ("GET", "HEAD", "OPTIONS")
LAST_USED_EVERY = timedelta(minutes=1)
AGENT_EMAIL = "system-agent@pharos.internal"


def digest_of(raw: str) -> str:
    """SHA-256 of the whole key in hex; this is what the database knows."""
    return sha256(raw.encode()).hexdigest()


@transaction.atomic
def create_key(
    *,
    user: User,
    name: str,
    role: str | None = None,
    expires_at: datetime | None = None,
    instance_id: str | None = None,
    scopes: Iterable[str] = (),
    actor: Principal | None = None,
    replaces: ApiKey | None = None,
) -> tuple[ApiKey, str]:
    """Make a key; the second value is the key itself, which nobody can read again.

    `role` caps what the key may do and cannot pass the user's own role (Forbidden). `scopes` narrow it to some APIs;
    without any it has those of the key that asks, and it never has more (Forbidden; Invalid for unknown words).
    """
    if role and RANK[role] > RANK[user.role]:
        raise Forbidden(f"A key of {user} cannot have the {role} role")
    bounds = actor.scopes if actor else ()
    scopes = words.tidied(scopes) or list(bounds)
    if not words.within(scopes, bounds):
        raise Forbidden("A key cannot have scopes that the key which makes it lacks")
    raw = f"sk-{secrets.token_hex(24)}"
    key = ApiKey.objects.create(
        user=user,
        name=name,
        key_prefix=raw[:10],
        digest=digest_of(raw),
        role=role or "",
        instance_id=instance_id,
        scopes=scopes,
        expires_at=expires_at,
        replaces=replaces,
    )
    record(actor=actor, action="CREATE", resource="api_key", resource_id=key.pk, after=facts(key))
    return key, raw


def create_own_key(
    *,
    actor: Principal,
    name: str,
    role: str | None = None,
    days: int | None = None,
    instance_id: str | None = None,
    scopes: Iterable[str] = (),
) -> tuple[ApiKey, str]:
    """A key for oneself, never stronger than the key or session that asks for it (Forbidden). `days` until it ends.

    One for an instance speaks as its agent, so it takes an operator there; raises NotFound for an invisible one.
    """
    if actor.is_agent:
        raise Forbidden("An agent's key cannot make keys")
    if instance_id:
        instances = apps.get_model("fleet", "Instance").objects.visible_to(actor)
        instance = instances.filter(pk=instance_id).first()
        if instance is None:
            raise NotFound(f"Instance '{instance_id}' not found")
        require(actor, OPERATOR, team_id=instance.team_id)
    if role and RANK[role] > RANK[actor.role]:
        raise Forbidden(f"A key of yours cannot have the {role} role")
    if actor.role != actor.user.role:
        role = role or actor.role
    return create_key(
        user=actor.user, name=name, role=role, expires_at=in_days(days), instance_id=instance_id, scopes=scopes,
        actor=actor,
    )  # fmt: skip


def in_days(days: int | None) -> datetime | None:
    """The moment so many days from now; None stays None."""
    return timezone.now() + timedelta(days=days) if days else None


def all_keys() -> QuerySet[ApiKey]:
    """Every key that is not revoked, newest first."""
    return ApiKey.objects.filter(revoked_at=None).select_related("user").order_by("-created_at", "-pk")


def keys_of(user: User) -> QuerySet[ApiKey]:
    """The keys of a user that are not revoked, newest first."""
    return all_keys().filter(user=user)


def facts(key: ApiKey) -> dict[str, Any]:
    """What the audit log notes about a key."""
    return {
        "name": key.name,
        "prefix": key.key_prefix,
        "user": key.user.email,
        "role": key.role or None,
        "instance_id": key.instance_id,
        "scopes": key.scopes or None,
        "expires_at": key.expires_at,
    }


@transaction.atomic
def create_service_key(
    *,
    name: str,
    role: str,
    days: int | None = None,
    scopes: Iterable[str] = (),
    actor: Principal | None = None,
) -> tuple[ApiKey, str]:
    """A key for a script: a service user of that role and its key, good for `days` and narrowed to `scopes`."""
    email = f"{secrets.token_hex(6)}@service.pharos.internal"
    user = User.objects.create_user(email, name=name, role=role, kind=User.Kind.SERVICE)
    record(actor=actor, action="CREATE", resource="user", resource_id=user.pk, after={"name": name, "role": role})
    return create_key(user=user, name=name, expires_at=in_days(days), scopes=scopes, actor=actor)


def authenticate_request(request: Any) -> Principal | None:
    """The caller of a Django request: a key header decides alone, then the session cookie, then where it comes from.

    Raises Unauthorized for a key that opens nothing, Forbidden for one whose scopes lack what the request needs, and
    for a write to an API by cookie that is neither JSON nor from a page of ours: another site can make a browser send
    such a request (contract: fleet console §33.3).
    """
    if raw := key_from_headers(request.headers):
        if holder := replay_token.principal_of(raw, request.path):
            return holder
        claim = refusals.claim_of(request.path, request.headers.get("X-Instance-ID"))
        return authenticate_key(raw, scope=words.needed(request.path, request.method), claim=claim)
    principal = session_principal(request)
    if principal is None:
        return anonymous.principal_of(request)
    if request.method not in SAFE and envelope_for(request.path):
        is_json = request.content_type == "application/json"
        if not is_json and not from_our_pages(request.headers.get("Origin"), request.get_host()):
            raise Forbidden("A write with a session cookie must be JSON or come from a page of this site")
    return principal


def session_principal(request: Any) -> Principal | None:
    """The person signed in with the request's session, whose end moves on with its use.

    Raises Forbidden when the person must set up a second factor before anything else.
    """
    user = get_user(request)
    if not user.is_authenticated or not user.is_active:
        return None
    second_factor.check(user, request.path)
    sessions.keep(request.session, timezone.now())
    return user.principal(session_id=request.session.get("id"))


def principal_of_cookie(session_key: str) -> Principal | None:
    """The person signed in with a session cookie, outside Django's request handling."""
    request = HttpRequest()
    request.session = sessions.SessionStore(session_key)
    return session_principal(request)


def key_from_headers(headers: Any) -> str | None:
    """The key in `Authorization: Bearer` or `X-Api-Key`, whichever comes first."""
    scheme, _, value = headers.get("Authorization", "").partition(" ")
    if scheme.lower() == "bearer" and value.strip():
        return value.strip()
    return headers.get("X-Api-Key", "").strip() or None


def authenticate_key(
    raw: str, *, scope: str = words.EVERYTHING, claim: refusals.Claim | None = None, now: datetime | None = None
) -> Principal:
    """The principal of a raw key; raises Unauthorized when it is unknown, revoked, expired or its user inactive.

    Raises Forbidden when the key's scopes do not cover `scope`, which is what the caller is about to do. A refusal is
    counted for the instance that the key is bound to, else for the one that the caller names (`claim`).
    """
    now = now or timezone.now()
    if settings.AGENT_KEY and hmac.compare_digest(raw.encode(), settings.AGENT_KEY.encode()):
        return shared_agent()
    key = ApiKey.objects.select_related("user").filter(digest=digest_of(raw)).first()
    ended = key is not None and key.expires_at is not None and key.expires_at <= now
    if key is None or key.revoked_at or ended or not key.user.is_active:
        if key is not None and key.instance_id:
            refusals.note(instance_id=key.instance_id, now=now)
        else:
            refusals.note_claim(claim, now=now)
        open_otherwise = key is not None and not key.revoked_at and key.user.is_active
        raise Unauthorized("API key has expired" if open_otherwise else "Invalid API key")
    if key.last_used_at is None or now - key.last_used_at > LAST_USED_EVERY:
        ApiKey.objects.filter(pk=key.pk).update(last_used_at=now)
    return principal_of(key, scope=scope)


def principal_of(key: ApiKey, *, scope: str = words.EVERYTHING) -> Principal:
    """The caller that a key stands for, about to do what needs `scope`; raises Forbidden when the key lacks it.

    Every way in with a key leads through here. A capped key gets nothing from teams beyond its cap.
    An agent's key speaks for its instance alone: beyond that it may only look, whatever its user may do.
    """
    words.require(key.scopes, scope)
    cap = cap_of(key.role, key.instance_id)
    principal = key.user.principal(
        role=effective_role(cap, key.user.role),
        key_id=key.pk,
        key_prefix=key.key_prefix,
        instance_id=key.instance_id,
        is_agent=key.instance_id is not None,
        scopes=tuple(key.scopes),
    )
    for team, role in principal.teams.items():
        principal.teams[team] = effective_role(cap, role)
    return principal


def cap_of(role: str, instance_id: str | None) -> str:
    """The highest role that a key gives; "" for that of its user."""
    return VIEWER if instance_id else role


def effective_role(cap: str, role: str) -> str:
    """The role under a key's cap; "" caps nothing."""
    return min(cap or role, role, key=RANK.__getitem__)


def shared_agent() -> Principal:
    """The caller behind the shared agent key."""
    user, _ = User.objects.get_or_create(
        email=AGENT_EMAIL,
        defaults={"name": "system-agent", "role": OPERATOR, "kind": User.Kind.SERVICE, "password": "!"},
    )
    return Principal(user=user, role=OPERATOR, is_agent=True)


@transaction.atomic
def rotate(*, key: ApiKey, overlap: timedelta, actor: Principal | None = None) -> tuple[ApiKey, str]:
    """A successor with the same rights and the same span of life; the old key ends after `overlap`.

    Raises Conflict for a key that has ended or was rotated already, Forbidden when it can do what the key that asks
    cannot: whoever rotates a key holds it.
    """
    if actor and actor.key_id and actor.key_id != key.pk:
        highest = effective_role(cap_of(key.role, key.instance_id), key.user.role)
        if actor.is_agent or not words.within(key.scopes, actor.scopes) or RANK[highest] > RANK[actor.role]:
            raise Forbidden("A key cannot rotate one that may do more than itself")
    now = timezone.now()
    ends_at = min(filter(None, (key.expires_at, now + overlap)))
    fresh = ApiKey.objects.usable(now).filter(pk=key.pk, successor=None)
    if not fresh.update(expires_at=ends_at):
        raise Conflict("The key has ended, or has a successor already")
    before = facts(key)
    lifetime = key.expires_at - key.created_at if key.expires_at else None
    key.expires_at = ends_at
    record(actor=actor, action="UPDATE", resource="api_key", resource_id=key.pk, before=before, after=facts(key))
    return create_key(
        user=key.user,
        name=key.name,
        role=key.role or None,
        expires_at=now + lifetime if lifetime else None,
        instance_id=key.instance_id,
        scopes=key.scopes,
        actor=actor,
        replaces=key,
    )


@transaction.atomic
def revoke(*, key: ApiKey, actor: Principal | None = None) -> None:
    """End a key now; its open streams close within seconds, wherever they are. Again is harmless."""
    if ApiKey.objects.filter(pk=key.pk, revoked_at=None).update(revoked_at=timezone.now()):
        record(actor=actor, action="DELETE", resource="api_key", resource_id=key.pk, before=facts(key))
