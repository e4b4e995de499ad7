"""Reads of SSH keys (contract: fleet console §24)."""

from datetime import datetime
from typing import Any

from django.db.models import Count

from security.ssh_keys.models import WEAK, SshKeyQuerySet, Status, standing

MOST_TYPES = 100


def counts(keys: SshKeyQuerySet, now: datetime) -> dict[str, Any]:
    """How many there are: in all, by status, weak ones, and by type as it was told."""
    whole = keys.order_by()
    found = whole.aggregate(
        total=Count("pk"),
        weak=Count("pk", filter=WEAK),
        **{status.lower(): Count("pk", filter=standing(status, now)) for status in Status.values},
    )
    types = whole.values_list("key_type").annotate(count=Count("pk")).order_by("-count", "key_type")
    return found | {"byType": dict(types[:MOST_TYPES])}


def newest_first(keys: SshKeyQuerySet) -> SshKeyQuerySet:
    return keys.select_related("instance").order_by("-created_at", "-pk")
