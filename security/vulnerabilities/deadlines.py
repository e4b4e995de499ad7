"""By when a finding is to be fixed: so many days by severity, and CISA's own date where it has one."""

from datetime import UTC, date, datetime, time, timedelta

from django.conf import settings


def due_at(severity: str, detected_at: datetime, kev_due_date: date | None = None) -> datetime | None:
    """When a finding of this severity, seen or seen again at `detected_at`, is to have been fixed.

    `kev_due_date`: the day until whose end (UTC) CISA wants the vulnerability gone; it never moves the time back.
    None: there is no deadline, as for unknown severities.
    """
    days = settings.FIX_WITHIN_DAYS.get(severity)
    due = detected_at + timedelta(days=days) if days else None
    if kev_due_date is None:
        return due
    wanted = datetime.combine(kev_due_date, time.max.replace(microsecond=0), tzinfo=UTC)
    return min(due, wanted) if due else wanted
