"""The tick that counts runs."""

from celery import shared_task

from alerts.monitors.services import look
from config.single import one_at_a_time


@shared_task(ignore_result=True)
@one_at_a_time
def count_runs() -> None:
    """Count the runs that have finished since the last look."""
    look()
