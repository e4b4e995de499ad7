"""Sending what is in the outbox."""

import threading
from collections.abc import Iterator
from contextlib import contextmanager

from celery import shared_task
from django.conf import settings

from alerts.channels import outbox

# Channels that this process is emptying. Slow ones never take more than half of its threads: the rest of the
# product lives from the others.
_busy: set[str] = set()
_lock = threading.Lock()


@shared_task(ignore_result=True)
def send_due() -> None:
    """Hand every channel with due messages to a worker."""
    for channel_id in outbox.due_channels():
        send.delay(channel_id)


@shared_task(ignore_result=True)
def send(channel_id: str) -> None:
    """Empty one channel, unless this process does so already or has its hands full; then the next tick tries again."""
    with _slot(channel_id) as free:
        if free:
            outbox.drain(channel_id)


@contextmanager
def _slot(channel_id: str) -> Iterator[bool]:
    with _lock:
        free = channel_id not in _busy and len(_busy) < max(1, settings.WORKER_THREADS // 2)
        if free:
            _busy.add(channel_id)
    try:
        yield free
    finally:
        if free:
            with _lock:
                _busy.discard(channel_id)
