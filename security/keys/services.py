"""API keys: making, looking up, rotating, revoking (contract: fleet console §1.2)."""

import hmac
import secrets
from datetime import datetime, timedelta
from hashlib import sha256
from typing import Any

from django.conf import settings
from django.db import transaction
from django.utils import timezone

from config.api.authentication import Principal
from config.api.errors import Forbidden, Unauthorized
from config.api.permissions import OPERATOR, RANK
from security.accounts.models import User
from security.audit.services import record
from security.keys.models import ApiKey

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
    actor: Principal | None = None,
    replaces: ApiKey | None = None,
) -> tuple[ApiKey, str]:
    """Make a key; the second value is the key itself, which nobody can read again.

    `role` caps what the key may do and cannot pass the user's own role (Forbidden).
    """
    if role and RANK[role] > RANK[user.role]:
        raise Forbidden(f"A key of {user.email} cannot have the {role} role")
    raw = "sk-" + secrets.token_hex(24)
    key = ApiKey.objects.create(
        user=user,
        name=name,
        key_prefix=raw[:10],
        digest=digest_of(raw),
        role=role or "",
        instance_id=instance_id,
        expires_at=expires_at,
        replaces=replaces,
    )
    record(
        actor=actor,
        action="CREATE",
        resource="api_key",
        resource_id=key.pk,
        after={"name": name, "user": user.email, "role": role, "instance_id": instance_id, "expires_at": expires_at},
    )
    return key, raw


@transaction.atomic
def create_service_key(*, name: str, role: str, actor: Principal | None = None) -> tuple[ApiKey, str]:
    """A key for a script: a service user of that role and its key."""
    email = f"{secrets.token_hex(6)}@service.pharos.internal"
    user = User.objects.create_user(email, name=name, role=role, kind=User.Kind.SERVICE)
    record(actor=actor, action="CREATE", resource="user", resource_id=user.pk, after={"name": name, "role": role})
    return create_key(user=user, name=name, actor=actor)


def authenticate_request(request: Any) -> Principal | None:
    """The caller of a Django request: a key header decides alone, then the session cookie.

    Raises Unauthorized for a key that opens nothing. Cookie writes must be JSON or come from our own pages.
    """
    if raw := key_from_headers(request.headers):
        return authenticate_key(raw)
    user = getattr(request, "user", None)
    if user is not None and user.is_authenticated and user.is_active:
        return user.principal(session_key=request.session.session_key)
    return None


def key_from_headers(headers: Any) -> str | None:
    """The key in `Authorization: Bearer` or `X-Api-Key`, whichever comes first."""
    scheme, _, value = headers.get("Authorization", "").partition(" ")
    if scheme.lower() == "bearer" and value.strip():
        return value.strip()
    return headers.get("X-Api-Key", "").strip() or None


def authenticate_key(raw: str, *, now: datetime | None = None) -> Principal:
    """The principal of a raw key; raises Unauthorized when it is unknown, revoked, expired or its user inactive."""
    now = now or timezone.now()
    if settings.AGENT_KEY and hmac.compare_digest(raw.encode(), settings.AGENT_KEY.encode()):
        return Principal(user=agent_user(), role=OPERATOR, is_agent=True)
    key = ApiKey.objects.select_related("user").filter(digest=digest_of(raw)).first()
    if key is None or key.revoked_at or not key.user.is_active:
        raise Unauthorized("Invalid API key")
    if key.expires_at and key.expires_at <= now:
        raise Unauthorized("API key has expired")
    if key.last_used_at is None or now - key.last_used_at > LAST_USED_EVERY:
        ApiKey.objects.filter(pk=key.pk).update(last_used_at=now)
    return principal_of(key)


def principal_of(key: ApiKey) -> Principal:
    """The caller that a key stands for. A capped key gets nothing from teams beyond its cap."""
    user = key.user
    role = min(key.role or user.role, user.role, key=RANK.__getitem__)
    principal = user.principal(
        role=role,
        key_id=key.pk,
        key_prefix=key.key_prefix,
        instance_id=key.instance_id,
        is_agent=key.instance_id is not None,
    )
    if key.role:
        capped = {team: min(key.role, own, key=RANK.__getitem__) for team, own in principal.teams.items()}
        principal.teams.clear()
        principal.teams.update(capped)
    return principal


def agent_user() -> User:
    """The user behind the shared agent key."""
    user, _ = User.objects.get_or_create(
        email=AGENT_EMAIL,
        defaults={"name": "system-agent", "role": OPERATOR, "kind": User.Kind.SERVICE, "password": "!"},
    )
    return user


@transaction.atomic
def rotate(*, key: ApiKey, overlap: timedelta, actor: Principal | None = None) -> tuple[ApiKey, str]:
    """A successor with the same rights; the old key ends after `overlap`."""
    successor, raw = create_key(
        user=key.user,
        name=key.name,
        role=key.role or None,
        expires_at=key.expires_at,
        instance_id=key.instance_id,
        actor=actor,
        replaces=key,
    )
    end = timezone.now() + overlap
    key.expires_at = min(key.expires_at, end) if key.expires_at else end
    key.save(update_fields=["expires_at"])
    record(
        actor=actor, action="UPDATE", resource="api_key", resource_id=key.pk, after={"expires_at": key.expires_at}
    )
    return successor, raw


@transaction.atomic
def revoke(*, key: ApiKey, actor: Principal | None = None) -> None:
    """End a key now; its open streams close within seconds, wherever they are."""
    if ApiKey.objects.filter(pk=key.pk, revoked_at=None).update(revoked_at=timezone.now()):
        record(
            actor=actor, action="DELETE", resource="api_key", resource_id=key.pk, before={"name": key.name}
        )


def still_valid(principal: Principal, *, now: datetime | None = None) -> bool:
    """Whether an open stream of this principal may go on: its key, session and user still stand."""
    if principal.key_id:
        return ApiKey.objects.usable(now or timezone.now()).filter(pk=principal.key_id).exists()
    if principal.session_key:
        from django.contrib.sessions.models import Session

        if not Session.objects.filter(pk=principal.session_key, expire_date__gt=now or timezone.now()).exists():
            return False
    return User.objects.filter(pk=principal.user.pk, is_active=True).exists()
