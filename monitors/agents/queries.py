"""What is known of an agent: its state, its load, its day (contract: monitors §7)."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta
from statistics import fmean
from typing import Any

from django.db.models import Avg, Count, DurationField, ExpressionWrapper, F, Q

from monitors.agents.models import Agent, AgentSample, Worker
from monitors.runs.models import BAD, Run, Status


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


def load(agent: Agent, now: datetime) -> Load:
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


def last_day(agent: Agent, now: datetime) -> dict[str, Any]:
    """Runs finished in the last 24 hours: how many, how many bad, their mean duration in seconds (or None)."""
    took = ExpressionWrapper(F("completed_at") - F("started_at"), output_field=DurationField())
    found = Run.objects.filter(agent=agent, completed_at__gt=now - timedelta(hours=24)).aggregate(
        runs=Count("pk"), failed=Count("pk", filter=Q(status__in=BAD)), took=Avg(took)
    )
    mean = found["took"]
    return {"runs": found["runs"], "failed": found["failed"], "avg_s": round(mean.total_seconds(), 3) if mean else None}


def history(agent: Agent, now: datetime, minutes: int) -> list[AgentSample]:
    return list(agent.samples.filter(at__gt=now - timedelta(minutes=minutes)).order_by("at"))


def _mean(values: Iterable[float | None]) -> float | None:
    known = [value for value in values if value is not None]
    return round(fmean(known), 1) if known else None


def _mean_load(machines: list[Worker]) -> list[float] | None:
    known = [worker.load_average for worker in machines if worker.load_average]
    return [round(fmean(values), 2) for values in zip(*known, strict=True)] if known else None
