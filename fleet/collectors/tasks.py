"""The ticks of collectors."""

from celery import shared_task

from fleet.collectors.hosts import deriving
from fleet.collectors.series import upkeep as upkeeping


@shared_task(ignore_result=True)
def derive() -> None:
    """Each 2 s: make samples of what collectors told of machines."""
    deriving.derive()


@shared_task(ignore_result=True)
def upkeep() -> None:
    """Each hour: drop old points and series, make partitions ahead."""
    upkeeping.drop_old()
