"""The tick of overdue fixes."""

from celery import shared_task

from alerts.fixes import services
from config.single import one_at_a_time


@shared_task(ignore_result=True)
@one_at_a_time
def look() -> None:
    """See `services.look`."""
    services.look()
