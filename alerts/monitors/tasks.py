"""The tick that counts runs."""

from celery import shared_task

from alerts.monitors.services import look


@shared_task(ignore_result=True)
def count_runs() -> None:
    """Count the runs that have finished since the last look."""
    look()
