"""Entering and revoking SSH keys (contract: fleet console §24)."""

from datetime import datetime
from typing import Any

from django.db import transaction

from config.api.authentication import Principal
from config.api.errors import Malformed, NotFound
from config.api.permissions import OPERATOR, raised_door, require
from fleet.instances.models import Instance
from security.audit.services import record
from security.ssh_keys.models import SshKey


def get_visible(*, principal: Principal | None, pk: str) -> SshKey:
    """Raises Malformed for an impossible id, NotFound for an unknown or invisible one."""
    if len(pk) > 128 or "\x00" in pk:
        raise Malformed("Invalid SSH key ID")
    found = SshKey.objects.visible_to(principal).select_related("instance").filter(pk=pk).first()
    if found is None:
        raise NotFound(f"SSH key '{pk}' not found")
    return found


@transaction.atomic
def enter(*, instance: Instance, fingerprint: str, actor: Principal, request: Any = None, **fields: Any) -> SshKey:
    """The key with that fingerprint on the instance, new or changed.

    `fields`: comment, key_type, key_bits, expires_at, last_used_at; what is not given stays as it was, and a revoked
    key stays revoked. Raises Forbidden when the door is raised.
    """
    require(actor, raised_door(OPERATOR), team_id=instance.team_id)
    Instance.objects.select_for_update(no_key=True).get(pk=instance.pk)  # two that enter the same key take turns
    key = SshKey.objects.filter(instance=instance, fingerprint=fingerprint).first()
    before = facts(key) if key else None
    key = key or SshKey(instance=instance, fingerprint=fingerprint)
    for name, value in fields.items():
        setattr(key, name, value)
    key.comment = key.comment or None
    key.save()
    _audit("UPDATE" if before else "CREATE", key, actor, request, before=before, after=facts(key))
    return key


@transaction.atomic
def revoke(*, key: SshKey, actor: Principal | None, now: datetime, request: Any = None) -> SshKey:
    """Note that the key must not open its machine any more; the first time is kept. `actor` None is the product itself.

    The machine is not touched: whether its agent still sees the key there, `seen_at` tells.
    """
    if actor is not None:
        require(actor, raised_door(OPERATOR), team_id=key.instance.team_id)
    if SshKey.objects.filter(pk=key.pk, revoked_at=None).update(revoked_at=now):
        key.revoked_at = now
        _audit("UPDATE", key, actor, request, act="revoke", after=facts(key))
    return key


def facts(key: SshKey) -> dict[str, Any]:
    """What the audit notes."""
    names = ("instance_id", "fingerprint", "comment", "key_type", "key_bits", "expires_at", "revoked_at")
    return {name: getattr(key, name) for name in names}


def _audit(action: str, key: SshKey, actor: Principal | None, request: Any, **more: Any) -> None:
    record(
        actor=actor, action=action, resource="ssh_key", resource_id=key.pk, request=request,
        team_id=key.instance.team_id, **more,
    )  # fmt: skip
