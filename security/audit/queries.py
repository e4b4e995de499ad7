"""Reading the audit log."""

from datetime import date, datetime, time
from typing import Any

from django.db.models import Q, QuerySet
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


def up_to(rows: QuerySet[AuditEntry], at: datetime, id: str, *, included: bool) -> QuerySet[AuditEntry]:
    """Of entries in their order, newest first, those from that one on."""
    same = Q(at=at, id__lte=id) if included else Q(at=at, id__lt=id)
    return rows.filter(Q(at__lte=at)).filter(Q(at__lt=at) | same)


def midnight(day: date | None) -> datetime | None:
    """The start of a day in the reader's time zone."""
    return timezone.make_aware(datetime.combine(day, time.min)) if day else None
