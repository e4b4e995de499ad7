from datetime import timedelta

from celery import shared_task
from django.conf import settings
from django.utils import timezone

from loadtest.replay.captures.services import prune
from loadtest.replay.sessions import services


@shared_task(ignore_result=True)
def tend() -> None:
    """Close sessions that nobody uses any more, and forget closed ones after a day."""
    now = timezone.now()
    services.expire(now=now, after=timedelta(hours=settings.REPLAY_EXPIRE_HOURS))
    services.bury(now=now)


@shared_task(ignore_result=True)
def forget() -> None:
    """Drop old captures."""
    prune(now=timezone.now())
