"""Making, changing, revealing and deleting secrets (contract: fleet console §25). No value ever leaves by the audit.

An `actor` of None is the product itself, which may do all but reveal.
"""

from datetime import datetime
from typing import Any

from django.db import IntegrityError, transaction
from django.utils import timezone

from config.api.authentication import Principal
from config.api.errors import Conflict, Invalid, NotFound
from config.api.permissions import ADMIN, OPERATOR, require
from security.audit.services import record
from security.vault.models import Secret, SecretVersion
from security.vault.queries import instance_for

MOST_BYTES = 64 * 1024
KEPT_VERSIONS = 10
OF_DEPLOYMENTS = "deployment"  # in the scope of what deployments store; it goes when the instance is destroyed
MOST_REASON = 500
_UNSET: Any = object()


def create(
    *,
    actor: Principal | None,
    name: str,
    value: str,
    instance_id: str | None = None,
    request: Any = None,
    **fields: Any,
) -> Secret:
    """A new secret; `fields` are `description`, `type`, `scope`, `expires_at`.

    Raises NotFound for an instance that the caller may not see, Forbidden below OPERATOR there (or globally), Conflict
    when the name is taken there, Invalid for a value that is too long.
    """
    instance = instance_for(instance_id, actor) if instance_id is not None else None
    _allow(actor, instance.team_id if instance else None)
    _check(value)
    try:
        with transaction.atomic():
            secret = Secret.objects.create(
                name=name, instance=instance, created_by=actor.user if actor else None, **fields
            )
            _add_version(secret, 1, value, actor)
            _audit("CREATE", secret, actor, request, after=facts(secret))
    except IntegrityError:
        where = f"for the instance {instance.name}" if instance else "without an instance"
        raise Conflict(f"There is already a secret named {name} {where}") from None
    return secret


def update(
    *,
    secret: Secret,
    actor: Principal | None,
    value: str | None = None,
    description: str | None = _UNSET,
    scope: list[str] = _UNSET,
    expires_at: datetime | None = _UNSET,
    request: Any = None,
) -> Secret:
    """Set any subset; a `value` becomes the next version. Raises Invalid, NotFound when it was deleted meanwhile."""
    changes = {"description": description, "scope": scope, "expires_at": expires_at}
    if value is not None:
        _check(value)
    with transaction.atomic():
        secret = _locked(secret, actor)
        before = facts(secret)
        for column, new in changes.items():
            if new is not _UNSET:
                setattr(secret, column, new)
        if value is not None:
            _next_version(secret, value, actor)
        secret.save()
        event = {"event": "rotate"} if value is not None else {}
        _audit("UPDATE", secret, actor, request, before=before, after=facts(secret), **event)
    return secret


def rotate(*, secret: Secret, actor: Principal | None, value: str, request: Any = None) -> Secret:
    """Give it a new value; the last versions stay, for a roll-back. Raises as `update` does."""
    return update(secret=secret, actor=actor, value=value, request=request)


def roll_back(*, secret: Secret, actor: Principal | None, number: int, request: Any = None) -> Secret:
    """Put a kept version into force again.

    Raises NotFound for one that is not kept, Conflict for the one in force.
    """
    with transaction.atomic():
        secret = _locked(secret, actor)
        version = SecretVersion.objects.filter(secret=secret, number=number).first()
        if version is None:
            raise NotFound(f"Version {number} of this secret is not kept")
        if number == secret.version:
            raise Conflict(f"Version {number} is in force already")
        before = facts(secret)
        secret.version = number
        secret.last_rotated_at = version.created_at if number > 1 else None
        secret.save()
        _audit("UPDATE", secret, actor, request, event="roll_back", before=before, after=facts(secret))
    return secret


def delete(*, secret: Secret, actor: Principal | None, request: Any = None) -> None:
    """Delete it with all its versions."""
    with transaction.atomic():
        secret = _locked(secret, actor)
        _audit("DELETE", secret, actor, request, before=facts(secret))
        secret.delete()


def reveal(*, secret: Secret, actor: Principal, reason: str = "", request: Any = None) -> str:
    """The value, for a person. Who read it, and why, is committed to the audit before this returns.

    Raises Forbidden below ADMIN (no team gives that), Invalid for an endless reason, Unreadable.
    """
    require(actor, ADMIN)
    if len(reason) > MOST_REASON:
        raise Invalid("The reason is too long", details={"reason": [f"At most {MOST_REASON} characters."]})
    value = opened(secret)
    with transaction.atomic(durable=True):
        Secret.objects.filter(pk=secret.pk).update(last_read_at=timezone.now())
        said = {"event": "reveal", "name": secret.name, "version": secret.version, "reason": reason.strip() or None}
        _audit("EXECUTE", secret, actor, request, **said)
    return value


def opened(secret: Secret) -> str:
    """The value in force, for the product's own use. Raises NotFound when it was deleted meanwhile, Unreadable."""
    version = SecretVersion.objects.filter(secret_id=secret.pk, number=secret.version).first()
    if version is None:  # rolled on or deleted since the secret was read
        version = SecretVersion.objects.filter(secret_id=secret.pk).order_by("-number").first()
    if version is None:
        raise NotFound(f"Secret '{secret.pk}' not found")
    return version.value


def forget_deployed(*, instance_id: str) -> int:
    """Delete what deployments stored for an instance that is destroyed; how many (contract: §5.3, §13)."""
    found = [one.pk for one in Secret.objects.filter(instance_id=instance_id) if OF_DEPLOYMENTS in one.scope]
    Secret.objects.filter(pk__in=found).delete()
    return len(found)


def facts(secret: Secret) -> dict[str, Any]:
    """What the audit notes; never a value."""
    names = ("name", "description", "type", "instance_id", "scope", "version", "expires_at")
    return {name: getattr(secret, name) for name in names}


def _add_version(secret: Secret, number: int, value: str, actor: Principal | None) -> None:
    version = SecretVersion(secret=secret, number=number, created_by=_author(actor))
    version.value = value
    version.save(force_insert=True)


def _next_version(secret: Secret, value: str, actor: Principal | None) -> None:
    """The value as the newest version, in force; versions beyond those kept go."""
    numbers = list(secret.versions.order_by("-number").values_list("number", flat=True))
    secret.version = numbers[0] + 1 if numbers else 1
    secret.last_rotated_at = timezone.now()
    _add_version(secret, secret.version, value, actor)
    secret.versions.filter(number__in=numbers[KEPT_VERSIONS - 1 :]).delete()


def _locked(secret: Secret, actor: Principal | None) -> Secret:
    """The row as it is now, locked until the transaction ends; so numbers of versions follow each other.

    Raises NotFound when it is deleted, Forbidden for an actor below OPERATOR there.
    """
    found = Secret.objects.select_for_update(of=("self",)).select_related("instance").filter(pk=secret.pk).first()
    if found is None:
        raise NotFound(f"Secret '{secret.pk}' not found")
    _allow(actor, found.team_id)
    return found


def _author(actor: Principal | None) -> Any:
    return actor.user if actor else None


def _allow(actor: Principal | None, team_id: str | None) -> None:
    if actor is not None:
        require(actor, OPERATOR, team_id=team_id)


def _check(value: str) -> None:
    if not value:
        raise Invalid("The value is empty", details={"value": ["Give a value of at least one character."]})
    if len(value.encode()) > MOST_BYTES:
        raise Invalid("The value is too long", details={"value": ["A value has at most 64 KiB."]})


def _audit(action: str, secret: Secret, actor: Principal | None, request: Any, **more: Any) -> None:
    team_id = secret.team_id
    record(
        actor=actor, action=action, resource="secret", resource_id=secret.pk, team_id=team_id, request=request, **more
    )
