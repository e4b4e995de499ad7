"""One flag that tells long work in this process to end: set by `pharos up` and by a Celery worker that shuts down."""

import threading
from typing import Any

from celery.signals import worker_shutting_down

stopping = threading.Event()


@worker_shutting_down.connect
def _worker_stops(**_: Any) -> None:
    stopping.set()
