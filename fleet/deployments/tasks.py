from celery import shared_task
from django.utils import timezone

from fleet.deployments import working


@shared_task(ignore_result=True)
def carry_out(deployment_id: str) -> None:
    """Deploy one."""
    working.carry_out(deployment_id)


@shared_task(ignore_result=True)
def tend() -> None:
    """Look after deployments whose worker died or never came."""
    working.tend(send=carry_out.delay, now=timezone.now())
