"""Write one audit entry (contract: fleet console §1.9, §30)."""

import json
from datetime import timedelta
from typing import Any

from django.conf import settings
from django.core.serializers.json import DjangoJSONEncoder
from django.db import transaction
from django.utils import timezone

from config.api.authentication import Principal
from config.api.throttling import peer_address
from config.middleware import current_request
from security.audit import chain
from security.audit.masking import masked, masked_email, storable
from security.audit.models import AuditEntry, Verification

__all__ = ["masked", "masked_email", "prune", "record"]


def record(
    *,
    actor: Principal | None,
    action: str,
    resource: str,
    resource_id: str | None,
    request: Any = None,
    team_id: str | None = None,
    before: Any = None,
    after: Any = None,
    **facts: Any,
) -> AuditEntry:
    """Write who did what to which thing, within the caller's transaction.

    `before`, `after` and `facts` become the metadata; values under names that sound secret are masked. `actor` is
    None for the platform itself. The address and the program of the caller are those of the running request. One
    INSERT and no lock: the entry is chained to the others after the commit.
    """
    facts = {name: value for name, value in {"before": before, "after": after, **facts}.items() if value is not None}
    user = actor.user if actor else None
    request = request or current_request.get()
    entry = AuditEntry(
        user_id=user.pk if user else None,
        user_email=user.email if user else None,
        user_name=user.name if user else None,
        team_id=team_id,
        action=action,
        resource=resource,
        resource_id=storable(resource_id)[:128] if resource_id else None,
        metadata=masked(json.loads(json.dumps(facts, cls=DjangoJSONEncoder))) or None,
        ip_address=(peer_address(request)[:64] or None) if request else None,
        user_agent=(storable(request.headers.get("user-agent", ""))[:256] or None) if request else None,
        at=timezone.now(),
    )
    entry.seal = chain.mark(entry)
    entry.save(force_insert=True)
    transaction.on_commit(chain.seal_pending, robust=True)
    return entry


def prune() -> int:
    """Drop entries that are older than the audit is kept, and verifications as old; returns how many entries."""
    before = timezone.now() - timedelta(days=settings.KEEP_DAYS["audit"])
    Verification.objects.filter(ended_at__lt=before).delete()
    return chain.prune(before=before)
