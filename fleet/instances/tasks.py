"""Ticks of the fleet."""

from celery import shared_task

from fleet.instances.retention import forget_old_events
from fleet.instances.silence import look


@shared_task(ignore_result=True)
def detect_silence() -> None:
    """Find instances whose agent has stopped reporting."""
    look()


@shared_task(ignore_result=True)
def retain() -> None:
    """Delete events older than they are kept."""
    forget_old_events()
