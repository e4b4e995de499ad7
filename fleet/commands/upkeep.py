"""What time does to commands: nothing stays open for ever, nothing is kept for ever."""

from datetime import datetime, timedelta

from asgiref.sync import async_to_sync
from django.conf import settings
from django.utils import timezone

from fleet.commands import dispatch, recording
from fleet.commands.models import SEND_WITHIN, Approval, Batch, Execution, Status

SLICE = 200
SEND_AT_ONCE = 20


def tend(now: datetime | None = None) -> None:
    """Send what was left behind, end what is overdue and what nobody has approved in time."""
    now = now or timezone.now()
    _expire_approvals(now)
    if not Execution.objects.filter(completed_at=None).exists():  # nothing is open: most of the time
        return
    for execution in Execution.objects.unsent(now).filter(ready_at__lte=now - SEND_WITHIN).order_by("pk")[:SLICE]:
        fault = "The command could not be sent in time"
        recording.finish(execution.pk, Status.FAILED, fault=fault, only=Status.PENDING, now=now)
    left = Execution.objects.unsent(now).order_by("batch_id").values_list("batch_id", flat=True).distinct()
    for batch_id in left[:SEND_AT_ONCE]:
        async_to_sync(dispatch.send)(batch_id)
    dispatch.settle_overdue(now=now)


def _expire_approvals(now: datetime) -> None:
    for batch in Batch.objects.filter(approval=Approval.WAITING, approval_until__lte=now).order_by("pk")[:SLICE]:
        waiting = Batch.objects.filter(pk=batch.pk, approval=Approval.WAITING)
        if waiting.update(approval=Approval.EXPIRED, decided_at=now):
            for key in batch.executions.order_by("pk").values_list("pk", flat=True):
                fault = "Nobody approved it in time"
                recording.finish(key, Status.FAILED, fault=fault, only=Status.PENDING, now=now)


def forget(now: datetime | None = None) -> int:
    """Delete commands with their output when they are older than they are kept; how many batches."""
    oldest = (now or timezone.now()) - timedelta(days=settings.KEEP_DAYS["commands"])
    total = 0
    while keys := list(Batch.objects.filter(created_at__lt=oldest).values_list("pk", flat=True)[:SLICE]):
        Batch.objects.filter(pk__in=keys).delete()
        total += len(keys)
    return total
