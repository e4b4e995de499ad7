"""The tick of demo data."""

from celery import shared_task

from alerts.demo import services


@shared_task(ignore_result=True)
def tend() -> None:
    """Make demo data that is wanted; keep what is there moving."""
    services.tend()
