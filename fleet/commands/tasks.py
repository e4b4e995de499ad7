"""Ticks and work of remote commands."""

from asgiref.sync import async_to_sync
from celery import shared_task

from fleet.commands import dispatch, upkeep


@shared_task(ignore_result=True)
def send(batch_id: str) -> None:
    """Send a batch to its agents."""
    async_to_sync(dispatch.send)(batch_id)


@shared_task(ignore_result=True)
def tend() -> None:
    """Look after what is open."""
    upkeep.tend()


@shared_task(ignore_result=True)
def forget() -> None:
    """Delete what is older than it is kept."""
    upkeep.forget()
