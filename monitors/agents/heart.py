"""The thread that beats for a worker process."""

import threading
from uuid import uuid4

import psutil
import structlog
from django.db import close_old_connections
from django.utils import timezone

from config.stopping import stopping
from monitors.agents.beats import beat, leave
from monitors.tools.workspace import sweep

log = structlog.get_logger(__name__)
BEAT_S = 15


class Heart(threading.Thread):
    """Beats for this process until the process stops."""

    def __init__(self) -> None:
        super().__init__(name="worker-heartbeat", daemon=True)
        self._id, self._since = uuid4(), timezone.now()
        self._done = threading.Event()

    def run(self) -> None:
        sweep()
        psutil.cpu_percent(interval=None)  # the first call only sets the mark to measure from
        self._done.wait(0.5)
        while not (self._done.is_set() or stopping.is_set()):
            close_old_connections()
            try:
                beat(worker_id=self._id, started_at=self._since, now=timezone.now())
            except Exception:  # noqa: BLE001 - one missed beat must not end the thread
                log.warning("the worker's heartbeat could not be written", exc_info=True)
            close_old_connections()
            self._done.wait(BEAT_S)

    def stop(self) -> None:
        self._done.set()
        leave(worker_id=self._id)
