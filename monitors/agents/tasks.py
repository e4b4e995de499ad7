from celery import shared_task
from django.utils import timezone

from monitors.agents import beats


@shared_task(ignore_result=True)
def sample() -> None:
    """Write one minute of the agents' day."""
    beats.sample(now=timezone.now())
