"""The tick of what happens to alerts as time goes by."""

from celery import shared_task

from alerts.tending import services
from config.single import one_at_a_time


@shared_task(ignore_result=True)
@one_at_a_time
def tend() -> None:
    """See `services.tend`."""
    services.tend()
