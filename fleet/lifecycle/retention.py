"""How long it is kept what was done to machines."""

from datetime import datetime, timedelta

from django.conf import settings

from fleet.lifecycle.models import OPEN, Operation


def forget_old_operations(*, now: datetime) -> int:
    """Delete operations as old as events may be; how many. The rows of backups stay: their files do."""
    oldest = now - timedelta(days=settings.KEEP_DAYS["events"])
    return Operation.objects.filter(completed_at__lt=oldest).exclude(status__in=OPEN).delete()[0]
