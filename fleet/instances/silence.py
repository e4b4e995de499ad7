"""Agents that have stopped reporting (contract: fleet console §5.1)."""

from datetime import datetime, timedelta

from django.conf import settings
from django.core.cache import cache
from django.db import transaction
from django.db.models import F
from django.utils import timezone

from fleet.instances.changes import announce, note
from fleet.instances.models import Event, Instance, Status

BATCH = 500
LOOKED = "fleet:silence:looked"


def look(*, now: datetime | None = None) -> int:
    """The regular look; how many instances were lost.

    When nobody has looked for longer than the timeout, the platform itself was away and could hear no agent: then
    everyone gets the whole timeout again.
    """
    now = now or timezone.now()
    looked_at = cache.get(LOOKED)
    cache.set(LOOKED, now.timestamp(), None)
    if looked_at is None or now.timestamp() - looked_at > settings.OFFLINE_AFTER_S:
        timeout = timedelta(seconds=settings.OFFLINE_AFTER_S)
        Instance.objects.silent(now).update(offline_after=now + timeout)
        return 0
    return mark_silent(now=now)


def mark_silent(*, now: datetime | None = None) -> int:
    """RUNNING → ERROR for instances silent for the offline timeout; how many. Others are looked at again in time.

    Heartbeats do not move `offline_after`: this look does, to the last heartbeat plus the timeout.
    """
    now = now or timezone.now()
    timeout = timedelta(seconds=settings.OFFLINE_AFTER_S)
    due = Instance.objects.silent(now)
    due.filter(last_seen_at__gt=now - timeout).update(offline_after=F("last_seen_at") + timeout)
    lost = list(due.filter(last_seen_at__lte=now - timeout).order_by("offline_after", "pk")[:BATCH])
    return sum(_lose(instance, now) for instance in lost)


@transaction.atomic
def _lose(instance: Instance, now: datetime) -> bool:
    """Claim by a conditional update: a heartbeat that came meanwhile wins."""
    claim = Instance.objects.filter(pk=instance.pk, status=Status.RUNNING, last_seen_at=instance.last_seen_at)
    if not claim.update(status=Status.ERROR, updated_at=now):
        return False
    instance.status, instance.updated_at = Status.ERROR, now
    silent_s = int((now - instance.last_seen_at).total_seconds())
    note(instance, Event.Type.HEARTBEAT_LOST, now=now, silent_s=silent_s)
    announce(instance)
    return True
