from celery import shared_task

from alerts.channels import outbox


@shared_task(ignore_result=True)
def send_due() -> None:
    """Hand every message that is due to a worker."""
    for pk in outbox.claim_due():
        send.delay(pk)


@shared_task(ignore_result=True)
def send(notification_id: int) -> None:
    outbox.deliver(notification_id)
