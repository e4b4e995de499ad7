"""Reads of SSH keys (contract: fleet console §24)."""

from datetime import datetime
from typing import Any

from django.db.models import Count

from security.ssh_keys.models import SshKeyQuerySet, Status

MOST_TYPES = 100


def counts(keys: SshKeyQuerySet, now: datetime) -> dict[str, Any]:
    """How many there are: in all, by status, weak ones, and by type as it was told."""
    whole = keys.order_by()
    types = whole.values_list("key_type").annotate(count=Count("pk")).order_by("-count", "key_type")
    return {
        "total": whole.count(),
        **{status.lower(): whole.in_status(status, now).count() for status in Status.values},
        "weak": whole.weak().count(),
        "byType": dict(types[:MOST_TYPES]),
    }


def newest_first(keys: SshKeyQuerySet) -> SshKeyQuerySet:
    return keys.select_related("instance").order_by("-created_at", "-pk")
