"""Retention of the audit log, and its verification."""

from celery import shared_task
from django.utils import timezone

from security.audit import services, verifying
from security.audit.models import Verification


@shared_task(ignore_result=True)
def prune() -> None:
    """Drop entries that are older than the audit is kept."""
    services.prune()


@shared_task(ignore_result=True)
def walk_on(key: str) -> None:
    """Go on with a verification for a short while, then let others have their turn."""
    found = Verification.objects.filter(pk=key, is_running=True).first()
    if found and not verifying.walk(found, seconds=verifying.TURN_S):
        verifying.send(key)


@shared_task(ignore_result=True)
def tend() -> None:
    """Send lost verifications again."""
    verifying.tend(now=timezone.now())
