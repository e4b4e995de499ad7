"""How an agent is at this moment (contract: monitors §7)."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from statistics import fmean

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
    workers = list(agent.workers.online(now).order_by("-heartbeat_at"))
    newest = workers[0] if workers else agent.workers.order_by("-heartbeat_at").first()
    machines = list({worker.host: worker for worker in reversed(workers)}.values())
    tools: dict[str, str] = {}
    for worker in reversed(workers):
        tools |= worker.tools
    open_runs = Run.objects.filter(agent=agent, completed_at=None).aggregate(
        active=Count("pk", filter=Q(status=Status.RUNNING)), queued=Count("pk", filter=Q(status=Status.QUEUED))
    )
    used = [worker.memory_used_mb for worker in machines if worker.memory_used_mb is not None]
    return Load(
        status="online" if workers else "offline",
        heartbeat_at=newest.heartbeat_at if newest else None,
        version=newest.version if newest else None,
        tools=tools,
        capacity=sum(worker.capacity for worker in workers),
        cpu_percent=_mean(worker.cpu_percent for worker in machines),
        memory_percent=_mean(worker.memory_percent for worker in machines),
        memory_used_mb=round(sum(used), 1) if used else None,
        load_average=_mean_load(machines),
        uptime_s=int((now - min(worker.started_at for worker in workers)).total_seconds()) if workers else None,
        active_runs=open_runs["active"],
        queued_runs=open_runs["queued"],
    )


def _mean(values: Iterable[float | None]) -> float | None:
    known = [value for value in values if value is not None]
    return round(fmean(known), 1) if known else None


def _mean_load(machines: list[Worker]) -> list[float] | None:
    known = [worker.load_average for worker in machines if worker.load_average]
    return [round(fmean(values), 2) for values in zip(*known, strict=True)] if known else None
