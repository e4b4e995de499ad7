"""Old logs and runs go, in slices (contract: monitors §5.4)."""

from collections.abc import Callable
from datetime import datetime, timedelta

from django.conf import settings
from django.db.models import Exists, F, OuterRef

from monitors.monitors.models import Script
from monitors.runs import logs, screenshots
from monitors.runs.models import Run

SLICE = 5_000
SLICES = 20  # at most, in one call


def prune(*, now: datetime) -> None:
    """Delete logs, screenshots and runs beyond their age, and script versions that nothing needs any more."""
    keep = settings.KEEP_DAYS
    _in_slices(lambda: logs.delete_before(now - timedelta(days=keep["run_logs"]), most=SLICE))
    _in_slices(lambda: screenshots.delete_before(now - timedelta(days=keep["run_logs"]), most=SLICE))
    _in_slices(lambda: _delete_runs(now - timedelta(days=keep["runs"])))
    used = Run.objects.filter(script=OuterRef("pk"))
    unused = Script.objects.exclude(version=F("monitor__script_version")).filter(~Exists(used))
    Script.objects.filter(pk__in=list(unused.order_by("pk").values_list("pk", flat=True)[:SLICE])).delete()


def _delete_runs(before: datetime) -> int:
    old = list(
        Run.objects.filter(completed_at__lt=before).order_by("completed_at").values_list("pk", flat=True)[:SLICE]
    )
    Run.objects.filter(pk__in=old).delete()
    return len(old)


def _in_slices(delete: Callable[[], int]) -> None:
    for _ in range(SLICES):
        if delete() < SLICE:
            return
