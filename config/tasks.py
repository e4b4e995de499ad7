"""The platform's own tick: proof that the scheduler and a worker are alive."""

import time

from celery import shared_task
from django.core.cache import cache

PULSE = "pulse"
PULSE_EVERY_S = 10


@shared_task(ignore_result=True)
def pulse() -> None:
    """Note that a tick went from the scheduler through the broker to a worker."""
    cache.set(PULSE, time.time(), 3600)
