"""The ticks of metrics."""

from celery import shared_task

from fleet.metrics import services


@shared_task(ignore_result=True)
def roll_up() -> None:
    """Each minute: sum up what came in."""
    services.roll_up()


@shared_task(ignore_result=True)
def upkeep() -> None:
    """Each hour: drop old samples and roll-ups, make partitions ahead."""
    services.drop_old()
