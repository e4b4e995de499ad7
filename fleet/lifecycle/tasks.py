from uuid import UUID

from celery import shared_task
from django.utils import timezone

from fleet.lifecycle import working
from fleet.lifecycle.retention import forget_old_operations


@shared_task(ignore_result=True)
def carry_out(operation_id: str) -> None:
    """Make a backup, or destroy after one."""
    working.carry_out(UUID(operation_id))


@shared_task(ignore_result=True)
def tend() -> None:
    """Look after actions whose worker died or never came."""
    working.tend(send=carry_out.delay, now=timezone.now())


@shared_task(ignore_result=True)
def prune() -> None:
    """Delete what was done long ago; backups stay."""
    forget_old_operations(now=timezone.now())
