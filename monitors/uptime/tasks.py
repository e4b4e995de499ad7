from celery import shared_task
from django.utils import timezone

from monitors.uptime import services


@shared_task(ignore_result=True)
def roll_up() -> None:
    """Add up the runs of days that are over."""
    services.roll_up(now=timezone.now())
