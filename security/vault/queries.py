"""Reads of secrets; none of them gives a value (contract: fleet console §25)."""

from datetime import datetime, timedelta
from math import ceil
from typing import Any

from django.apps import apps
from django.db.models import F, Q, QuerySet

from config.api.authentication import Principal
from config.api.errors import Malformed, NotFound
from security.vault.models import Secret, SecretQuerySet, SecretType, SecretVersion

SOON = timedelta(days=14)
DAY = timedelta(days=1)
STATES = ("current", "asked", "expiring", "expired")


def get_visible(*, secret_id: str, principal: Principal | None) -> Secret:
    """The secret if the caller may see it. Raises Malformed for an impossible id, else NotFound."""
    if len(secret_id) > 128 or "\x00" in secret_id:
        raise Malformed("Invalid secret ID")
    found = visible(principal).filter(pk=secret_id).first()
    if found is None:
        raise NotFound(f"Secret '{secret_id}' not found")
    return found


def visible(principal: Principal | None) -> SecretQuerySet:
    """What the caller may see, with instance and author."""
    return Secret.objects.visible_to(principal).select_related("instance", "created_by")


def search(principal: Principal | None, *, words: str = "", kind: str = "", instance_id: str = "") -> SecretQuerySet:
    """Secrets of a type, of an instance, with words in name or description or in the name of their instance."""
    found = visible(principal)
    if words := words.replace("\x00", "").strip()[:128]:
        named = Q(name__icontains=words) | Q(description__icontains=words) | Q(instance__name__icontains=words)
        found = found.filter(named)
    if kind in SecretType.values:
        found = found.filter(type=kind)
    return found.filter(instance_id=instance_id) if instance_id else found


def instance_for(instance_id: str, principal: Principal | None) -> Any:
    """The instance if the caller may see it; None is the product itself, which sees all. Raises NotFound."""
    instances = apps.get_model("fleet", "Instance").objects.all()  # by name: the fleet lies above
    found = (instances.visible_to(principal) if principal else instances).filter(pk=instance_id).first()
    if found is None:
        raise NotFound(f"Instance '{instance_id}' not found")
    return found


def in_state(secrets: SecretQuerySet, state: str, now: datetime) -> SecretQuerySet:
    """Those that are `current`, `asked` to be rotated, `expiring` within two weeks, or `expired`."""
    match state:
        case "expired":
            return secrets.filter(expires_at__lte=now)
        case "expiring":
            return secrets.filter(expires_at__gt=now, expires_at__lte=now + SOON)
        case "asked":
            not_since = Q(last_rotated_at=None) | Q(last_rotated_at__lt=F("rotation_asked_at"))
            return secrets.filter(not_since, rotation_asked_at__isnull=False)
        case "current":
            return secrets.filter(Q(expires_at=None) | Q(expires_at__gt=now))
    return secrets


def state_of(secret: Secret, now: datetime) -> str:
    """`expired`, else `asked` (to be rotated), else `expiring`, else `current`."""
    if secret.is_expired(now):
        return "expired"
    if secret.needs_rotation:
        return "asked"
    return "expiring" if secret.expires_at and secret.expires_at <= now + SOON else "current"


def days_until_expiry(secret: Secret, now: datetime) -> int | None:
    """Whole days until it expires, rounded up; 0 or less once it has. None for one that does not expire."""
    return ceil((secret.expires_at - now) / DAY) if secret.expires_at else None


def versions_of(secret: Secret) -> QuerySet[SecretVersion]:
    """The kept versions, newest first, without what they hold."""
    return secret.versions.defer("sealed_value").select_related("created_by").order_by("-number")
