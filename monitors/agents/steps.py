"""A part of every Celery worker that makes runs: its heartbeat. Works for the embedded worker too, unlike signals."""

from typing import Any

from celery import bootsteps

from monitors.agents.heart import Heart


class Heartbeat(bootsteps.StartStopStep):
    """Starts with the worker and stops with it."""

    requires = ("celery.worker.components:Pool",)

    def create(self, parent: Any) -> Any:
        return Heart()
