"""Write one audit entry (contract: fleet console §1.9, §30)."""

import hmac
import json
from hashlib import sha256
from typing import Any

from django.conf import settings
from django.core.serializers.json import DjangoJSONEncoder
from django.db import transaction
from django.utils import timezone

from config.api.authentication import Principal
from config.api.throttling import peer_address
from security.audit.models import AuditEntry, AuditHead

MASK = "********"
_SECRET_WORDS = ("password", "passwd", "secret", "token", "api_key", "apikey", "authorization", "credential", "private")


@transaction.atomic
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
    None for the platform itself. Call it last in the transaction: the log is sealed in one sequence, so writers
    wait here for each other.
    """
    facts = {name: value for name, value in {"before": before, "after": after, **facts}.items() if value is not None}
    user = actor.user if actor else None
    entry = AuditEntry(
        user_id=user.pk if user else None,
        user_email=user.email if user else None,
        user_name=user.name if user else None,
        team_id=team_id,
        action=action,
        resource=resource,
        resource_id=resource_id,
        metadata=json.loads(json.dumps(masked(facts), cls=DjangoJSONEncoder)) or None,
        ip_address=(peer_address(request) or None) if request else None,
        user_agent=(request.META.get("HTTP_USER_AGENT", "")[:256] or None) if request else None,
        at=timezone.now(),
    )
    AuditHead.objects.get_or_create(pk=1)
    head = AuditHead.objects.select_for_update().get(pk=1)
    entry.number = head.last_number + 1
    entry.seal = seal_of(entry, head.last_seal)
    entry.save(force_insert=True)
    head.last_number, head.last_seal = entry.number, entry.seal
    head.head_seal = seal_of_head(head)
    head.save()
    return entry


def masked(value: Any, name: str = "") -> Any:
    """The value without secrets: whatever lies under a name that sounds secret becomes a mask."""
    if isinstance(value, dict):
        return {key: masked(inner, str(key)) for key, inner in value.items()}
    if isinstance(value, list | tuple):
        return [masked(inner, name) for inner in value]
    if value not in (None, "") and any(word in name.lower() for word in _SECRET_WORDS):
        return MASK
    return value


def seal_of(entry: AuditEntry, previous: str) -> str:
    """HMAC-SHA256 over the entry's content and the seal before it, keyed by the product's secret."""
    fields = (
        entry.number, entry.id, entry.user_id, entry.user_email, entry.user_name, entry.team_id, entry.action,
        entry.resource, entry.resource_id, entry.metadata, entry.ip_address, entry.user_agent,
        entry.at.isoformat(), previous,
    )  # fmt: skip
    return _hmac(json.dumps(fields, sort_keys=True, separators=(",", ":"), ensure_ascii=False))


def seal_of_head(head: AuditHead) -> str:
    """HMAC over the ends of the chain: it cannot be moved without the key."""
    return _hmac(f"{head.first_number}|{head.first_seal}|{head.last_number}|{head.last_seal}")


def _hmac(text: str) -> str:
    key = sha256(b"pharos.audit" + settings.SECRET_KEY.encode()).digest()
    return hmac.new(key, text.encode(), sha256).hexdigest()
