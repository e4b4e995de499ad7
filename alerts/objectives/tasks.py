"""Ticks of objectives."""

from celery import shared_task
from django.utils import timezone

from alerts.objectives import services, tallying
from config.single import one_at_a_time


@shared_task(ignore_result=True)
@one_at_a_time
def look() -> None:
    """See `services.look`."""
    services.look()


@shared_task(ignore_result=True)
def forget() -> None:
    """See `tallying.forget`."""
    tallying.forget(now=timezone.now())
