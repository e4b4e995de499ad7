"""What the clock calls."""

from celery import shared_task

from fleet.terminals import upkeep


@shared_task(ignore_result=True)
def look_after() -> None:
    upkeep.look_after()


@shared_task(ignore_result=True)
def prune() -> None:
    upkeep.prune()
