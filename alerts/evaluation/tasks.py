"""The tick of the rules."""

from celery import shared_task

from alerts.evaluation import states
from alerts.evaluation.services import evaluate_if_due


@shared_task(ignore_result=True)
def evaluate() -> None:
    """Look at the rules when it is time."""
    evaluate_if_due()


@shared_task(ignore_result=True)
def prune() -> None:
    """Forget what was remembered of instances that are gone."""
    states.prune()
