"""Worker and scheduler as threads of the one process."""

import os
import threading

from django.conf import settings

from config.parts.base import ThreadPart


class Worker(ThreadPart):
    """A Celery worker with a pool of threads. Not the command-line worker: that one sets signal handlers."""

    name = "worker"

    def __init__(self) -> None:
        super().__init__()
        from celery.worker import WorkController

        from config.celery import app

        app.loader.import_default_modules()
        app.finalize()
        self._controller = WorkController(
            app=app,
            pool_cls="threads",
            concurrency=settings.WORKER_THREADS,
            hostname=f"embedded@{os.uname().nodename}",
            without_gossip=True,
            without_mingle=True,
            without_heartbeat=True,
        )

    def run(self) -> None:
        self._controller.start()

    def stop(self) -> None:
        stopper = threading.Thread(target=self._controller.stop, daemon=True)
        stopper.start()
        stopper.join(2)


class Beat(ThreadPart):
    """The Celery scheduler, which sends the ticks of `config.schedule`."""

    name = "scheduler"

    def __init__(self) -> None:
        super().__init__()
        from celery.beat import Service

        from config.celery import app

        self._service = Service(app, max_interval=1, scheduler_cls=app.conf.beat_scheduler)

    def run(self) -> None:
        self._service.start(embedded_process=True)

    def stop(self) -> None:
        self._service.stop()
