"""Ticks of the ledger."""

from celery import shared_task
from django.utils import timezone

from costs.ledger import services


@shared_task(ignore_result=True)
def tend() -> None:
    """Count what was not counted yet, when it is time; then whatever rests on it."""
    services.tend(now=timezone.now())


@shared_task(ignore_result=True)
def prune() -> None:
    """Drop what is older than it is kept."""
    services.prune(now=timezone.now())
