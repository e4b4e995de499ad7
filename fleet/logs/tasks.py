"""The tick of logs."""

from celery import shared_task

from fleet.logs import upkeep as upkeeping


@shared_task(ignore_result=True)
def upkeep() -> None:
    """Each hour: drop old lines, make partitions ahead."""
    upkeeping.drop_old()
