"""The tick of reminders of secrets."""

from celery import shared_task

from alerts.secrets import services
from config.single import one_at_a_time


@shared_task(ignore_result=True)
@one_at_a_time
def look() -> None:
    """See `services.look`."""
    services.look()
