"""Retention of the audit log."""

from celery import shared_task

from security.audit import services


@shared_task(ignore_result=True)
def prune() -> None:
    """Drop entries that are older than the audit is kept."""
    services.prune()
