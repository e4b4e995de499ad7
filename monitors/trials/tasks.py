from uuid import UUID

from celery import shared_task
from django.utils import timezone

from monitors.trials import execution, services


@shared_task(ignore_result=True)
def execute(key: str) -> None:
    """Make one trial. Called again for one that is taken or over, it does nothing."""
    execution.execute(UUID(key))


@shared_task(ignore_result=True)
def look_after() -> None:
    """Send lost trials again, settle dead ones, forget old ones."""
    services.look_after(now=timezone.now())
