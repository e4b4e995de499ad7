from celery import shared_task
from django.utils import timezone

from loadtest.runs import dispatch, execution, parts, retention


@shared_task(ignore_result=True)
def tend() -> None:
    """Look after runs that nobody looks after."""
    dispatch.tick(now=timezone.now())


@shared_task(ignore_result=True)
def execute(run_id: str) -> None:
    """Make one run. Called again for a run that is taken or over, it does nothing."""
    execution.execute(run_id)


@shared_task(ignore_result=True)
def prune() -> None:
    """Delete old runs."""
    retention.prune(now=timezone.now())


@shared_task(ignore_result=True)
def execute_part(run_id: str, index: int) -> None:
    """Make one part of a run that is spread over several workers."""
    parts.execute(run_id, index)
