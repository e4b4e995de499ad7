"""Reading the audit log."""

from datetime import datetime
from typing import Any

from django.db.models import QuerySet

from security.audit.models import AuditEntry


def entries(*, start: datetime | None = None, end: datetime | None = None, **equal: Any) -> QuerySet[AuditEntry]:
    """Entries, newest first, from `start` (included) to `end` (excluded). None in `equal` filters nothing.

    `equal`: user_id, team_id, action, resource, resource_id.
    """
    rows = AuditEntry.objects.order_by("-at", "-id")
    if start:
        rows = rows.filter(at__gte=start)
    if end:
        rows = rows.filter(at__lt=end)
    return rows.filter(**{name: value for name, value in equal.items() if value is not None})
