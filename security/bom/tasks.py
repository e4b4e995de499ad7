"""Upkeep of inventories."""

from celery import shared_task
from django.utils import timezone

from security.bom.tidying import tidy


@shared_task(ignore_result=True)
def forget() -> None:
    """Forget packages that no instance has any more."""
    tidy(now=timezone.now())
