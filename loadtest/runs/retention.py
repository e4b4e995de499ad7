"""Old runs go, with all they stored; pinned ones stay (contract: load testing §13, §16.9)."""

from datetime import datetime, timedelta

from django.conf import settings

from loadtest.runs.models import Run

SLICE = 50  # runs at once: each can have a million ticks


def prune(*, now: datetime) -> int:
    """Delete finished runs that are older than the settings allow, or too many. How many went."""
    old = Run.objects.expired(now - timedelta(days=settings.LOAD_KEEP_DAYS))
    kept = Run.objects.filter(pinned=False, ended_at__isnull=False).newest_first()
    surplus = kept.values_list("pk", flat=True)[settings.LOAD_KEEP_RUNS :]
    going = dict.fromkeys([*old.values_list("pk", flat=True), *surplus])
    ids = list(going)
    for start in range(0, len(ids), SLICE):
        Run.objects.filter(pk__in=ids[start : start + SLICE], pinned=False).delete()
    return len(ids)
