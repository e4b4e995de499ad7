from uuid import UUID

from celery import shared_task
from django.utils import timezone

from monitors.runs import dispatch as dispatching
from monitors.runs import execution, retention


@shared_task(ignore_result=True)
def dispatch() -> None:
    """Claim due monitors and look after open runs."""
    dispatching.keep_up()


@shared_task(ignore_result=True)
def execute(run_id: str) -> None:
    """Make one run. Called again for a run that is taken or over, it does nothing."""
    execution.execute(UUID(run_id))


@shared_task(ignore_result=True)
def prune() -> None:
    """Delete old logs and runs."""
    retention.prune(now=timezone.now())
