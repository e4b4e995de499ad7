"""Beats: who is alive and how busy, and the minutes of an agent's day (contract: monitors §7)."""

from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import Any
from uuid import NAMESPACE_OID, UUID, uuid5

from config.version import VERSION
from monitors.agents import machine
from monitors.agents.load import loads_of
from monitors.agents.models import Agent, AgentSample, Worker
from monitors.agents.services import default_agent
from monitors.runs.execution import capacity
from monitors.tools import registry

KEEP_SAMPLES = timedelta(days=2)
KEEP_WORKERS = timedelta(days=1)


def beat(*, worker_id: UUID, started_at: datetime, now: datetime) -> None:
    """Write that this worker process is alive, and how its machine does."""
    Worker.objects.update_or_create(
        pk=worker_id,
        defaults={
            "agent": default_agent(),
            "host": machine.host(),
            "version": VERSION,
            "tools": registry.versions(),
            "capacity": capacity(),
            "started_at": started_at,
            "heartbeat_at": now,
            **machine.figures(),
        },
    )


def beat_of(*, agent: Agent, told: Mapping[str, Any], now: datetime) -> None:
    """Write what a remote agent tells of itself; it counts as one worker. `told` is checked (see `api.inputs`)."""
    figures = told.get("metrics") or {}
    uptime_s = figures.get("uptime_s") or 0
    Worker.objects.update_or_create(
        pk=uuid5(NAMESPACE_OID, f"pharos.agent:{agent.pk}"),
        defaults={
            "agent": agent,
            "host": told.get("host") or agent.name,
            "version": told.get("version") or "",
            "tools": told.get("tools") or {},
            "capacity": told.get("capacity", 1),
            "started_at": now - timedelta(seconds=uptime_s),
            "heartbeat_at": now,
            **{name: figures.get(name) for name in ("cpu_percent", "memory_percent", "memory_used_mb", "load_average")},
        },
    )


def leave(*, worker_id: UUID) -> None:
    """A worker process that ends by itself does not stay as a silent one."""
    Worker.objects.filter(pk=worker_id).delete()


def sample(*, now: datetime) -> None:
    """Write the current minute of every agent, and forget what is older than the longest chart."""
    minute = now.replace(second=0, microsecond=0)
    default_agent()
    for key, about in loads_of(Agent.objects.current().order_by("pk"), now).items():
        AgentSample.objects.update_or_create(
            agent_id=key,
            at=minute,
            defaults={
                "cpu_percent": about.cpu_percent,
                "memory_percent": about.memory_percent,
                "active_runs": about.active_runs,
            },
        )
    AgentSample.objects.filter(at__lt=now - KEEP_SAMPLES).delete()
    Worker.objects.filter(heartbeat_at__lt=now - KEEP_WORKERS).delete()
