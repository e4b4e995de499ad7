"""Matching that nobody waits for."""

from celery import shared_task
from django.utils import timezone

from security.vulnerabilities import daily, services


@shared_task(ignore_result=True)
def match_one(instance_id: str) -> None:
    """What is installed on the instance has changed."""
    services.match_instance(instance_id=instance_id, now=timezone.now())


@shared_task(ignore_result=True)
def tend() -> None:
    """Match the whole fleet, once a day."""
    daily.tend(now=timezone.now())
