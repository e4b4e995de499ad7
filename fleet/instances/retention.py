"""How long the history of instances is kept (contract: fleet console §34.2)."""

from datetime import datetime, timedelta

from django.conf import settings
from django.utils import timezone

from fleet.instances.models import Event

SLICE = 5000


def forget_old_events(*, now: datetime | None = None) -> int:
    """Delete events older than `PHAROS_KEEP_EVENTS_DAYS`, in slices; how many."""
    oldest = (now or timezone.now()) - timedelta(days=settings.KEEP_DAYS["events"])
    total = 0
    while keys := list(Event.objects.filter(timestamp__lt=oldest).values_list("pk", flat=True)[:SLICE]):
        total += Event.objects.filter(pk__in=keys).delete()[0]
    return total
