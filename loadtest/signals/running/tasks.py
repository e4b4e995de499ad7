from celery import shared_task
from django.utils import timezone

from loadtest.signals.hosting import host as hosting
from loadtest.signals.running import dispatch


@shared_task(ignore_result=True)
def tend() -> None:
    """Look after scenarios that nobody looks after."""
    dispatch.tick(now=timezone.now())


@shared_task(ignore_result=True)
def host() -> None:
    """Watch a runner until it has had nothing to do for a minute. Where there is one already, it does nothing."""
    hosting.host()
