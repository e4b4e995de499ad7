"""Beats of worker processes, and the minutes of their day (contract: monitors §7)."""

import os
import platform
import re
import socket
import threading
from datetime import datetime, timedelta
from uuid import UUID, uuid4

import psutil
from django.db import close_old_connections
from django.utils import timezone

from config.stopping import stopping
from config.version import VERSION
from monitors.agents.load import load_of
from monitors.agents.models import DEFAULT, Agent, AgentSample, Worker
from monitors.runs.execution import capacity
from monitors.tools import registry
from monitors.tools.workspace import sweep

SLUG = re.compile(r"[a-z0-9][a-z0-9-]{0,62}")
BEAT_S = 15
KEEP_SAMPLES = timedelta(days=2)
KEEP_WORKERS = timedelta(days=1)
MEBIBYTE = 1024 * 1024


def default_agent() -> Agent:
    """The agent that always exists: the platform's own workers."""
    return Agent.objects.get_or_create(pk=DEFAULT, defaults={"name": "Platform workers"})[0]


def get_agent(slug: str) -> Agent | None:
    """The agent of that id; None for one that does not exist or cannot."""
    if slug == DEFAULT:
        return default_agent()
    return Agent.objects.filter(pk=slug).first() if SLUG.fullmatch(slug) else None


def beat(*, worker_id: UUID, started_at: datetime, now: datetime) -> None:
    """Write that this worker process is alive, and how its machine does."""
    memory = psutil.virtual_memory()
    Worker.objects.update_or_create(
        pk=worker_id,
        defaults={
            "agent": default_agent(),
            "host": socket.gethostname() or platform.node(),
            "version": VERSION,
            "tools": registry.versions(),
            "capacity": capacity(),
            "started_at": started_at,
            "heartbeat_at": now,
            "cpu_percent": psutil.cpu_percent(interval=None),
            "memory_percent": memory.percent,
            "memory_used_mb": round((memory.total - memory.available) / MEBIBYTE, 1),
            "load_average": [round(value, 2) for value in os.getloadavg()],
        },
    )


def leave(*, worker_id: UUID) -> None:
    """A worker process that ends by itself does not stay as a silent one."""
    Worker.objects.filter(pk=worker_id).delete()


def sample(*, now: datetime) -> None:
    """Write the current minute of every agent, and forget what is older than the longest chart."""
    minute = now.replace(second=0, microsecond=0)
    default_agent()
    for agent in Agent.objects.order_by("pk"):
        about = load_of(agent, now)
        AgentSample.objects.update_or_create(
            agent=agent,
            at=minute,
            defaults={
                "cpu_percent": about.cpu_percent,
                "memory_percent": about.memory_percent,
                "active_runs": about.active_runs,
            },
        )
    AgentSample.objects.filter(at__lt=now - KEEP_SAMPLES).delete()
    Worker.objects.filter(heartbeat_at__lt=now - KEEP_WORKERS).delete()


class Heart(threading.Thread):
    """Beats for this process until the process stops."""

    def __init__(self) -> None:
        super().__init__(name="worker-heartbeat", daemon=True)
        self._id, self._since = uuid4(), timezone.now()
        self._done = threading.Event()

    def run(self) -> None:
        import structlog

        log = structlog.get_logger(__name__)
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
