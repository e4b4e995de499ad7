"""Reading the audit log."""

from datetime import date, datetime, time
from typing import Any

from django.db.models import QuerySet
from django.utils import timezone

from security.audit.models import AuditEntry


def entries(*, start: datetime | None = None, end: datetime | None = None, **equal: Any) -> QuerySet[AuditEntry]:
    """Entries, newest first, from `start` (included) to `end` (excluded). None in `equal` filters nothing.

    `equal`: user_id, user_email, team_id, action, resource, resource_id.
    """
    rows = AuditEntry.objects.order_by("-at", "-id")
    if start:
        rows = rows.filter(at__gte=start)
    if end:
        rows = rows.filter(at__lt=end)
    return rows.filter(**{name: value for name, value in equal.items() if value is not None})


def midnight(day: date | None) -> datetime | None:
    """The start of a day in the reader's time zone."""
    return timezone.make_aware(datetime.combine(day, time.min)) if day else None
