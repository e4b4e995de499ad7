"""How agents are at this moment (contract: monitors §7)."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime
from statistics import fmean
from typing import Any

from django.db.models import Count, Q

from monitors.agents.models import Agent, Worker
from monitors.runs.models import Run, Status


@dataclass(frozen=True)
class Load:
    """An agent at this moment. Machine figures are the mean of its machines; memory is the sum; None is unknown."""

    status: str
    heartbeat_at: datetime | None
    version: str | None
    tools: dict[str, str]
    capacity: int
    cpu_percent: float | None
    memory_percent: float | None
    memory_used_mb: float | None
    load_average: list[float] | None
    uptime_s: int | None
    active_runs: int
    queued_runs: int


def load_of(agent: Agent, now: datetime) -> Load:
    return loads_of([agent], now)[agent.pk]


def loads_of(agents: Iterable[Agent], now: datetime) -> dict[str, Load]:
    """Each agent's load by its id, in the given order. Two queries, whatever their number."""
    keys = [agent.pk for agent in agents]
    workers: dict[str, list[Worker]] = {key: [] for key in keys}
    for worker in Worker.objects.filter(agent__in=keys).order_by("-heartbeat_at", "pk"):
        workers[worker.agent_id].append(worker)
    active, queued = (Count("pk", filter=Q(status=status)) for status in (Status.RUNNING, Status.QUEUED))
    open_runs = Run.objects.filter(agent__in=keys, completed_at=None).order_by("agent").values("agent")
    counts = {row["agent"]: row for row in open_runs.annotate(active=active, queued=queued)}
    return {key: _load(workers[key], counts.get(key, {}), now) for key in keys}


def _load(beats: list[Worker], runs: Mapping[str, Any], now: datetime) -> Load:
    """From the beats of an agent, the newest first."""
    workers = [worker for worker in beats if worker.is_online(now)]
    newest = beats[0] if beats else None
    machines = list({worker.host: worker for worker in reversed(workers)}.values())
    tools: dict[str, str] = {}
    for worker in reversed(workers):
        tools |= worker.tools
    used = [worker.memory_used_mb for worker in machines if worker.memory_used_mb is not None]
    return Load(
        status="online" if workers else "offline",
        heartbeat_at=newest.heartbeat_at if newest else None,
        version=(newest.version or None) if newest else None,
        tools=tools,
        capacity=sum(worker.capacity for worker in workers),
        cpu_percent=_mean(worker.cpu_percent for worker in machines),
        memory_percent=_mean(worker.memory_percent for worker in machines),
        memory_used_mb=round(sum(used), 1) if used else None,
        load_average=_mean_load(machines),
        uptime_s=int((now - min(worker.started_at for worker in workers)).total_seconds()) if workers else None,
        active_runs=runs.get("active", 0),
        queued_runs=runs.get("queued", 0),
    )


def _mean(values: Iterable[float | None]) -> float | None:
    known = [value for value in values if value is not None]
    return round(fmean(known), 1) if known else None


def _mean_load(machines: list[Worker]) -> list[float] | None:
    known = [worker.load_average for worker in machines if worker.load_average]
    return [round(fmean(values), 2) for values in zip(*known, strict=True)] if known else None
