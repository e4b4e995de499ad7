"""Sending what is in the outbox."""

from datetime import datetime

from celery import shared_task

from alerts.channels import outbox


@shared_task(ignore_result=True)
def send_due() -> None:
    """Hand every message that is due to a worker."""
    for pk, lease in outbox.claim_due():
        send.delay(pk, lease.isoformat())


@shared_task(ignore_result=True)
def send(notification_id: int, lease: str) -> None:
    outbox.deliver(notification_id, datetime.fromisoformat(lease))
