"""What an agent did lately (contract: monitors §7)."""

from datetime import datetime, timedelta
from typing import Any

from django.core.cache import cache
from django.db.models import Avg, Count, DurationField, ExpressionWrapper, F, Q

from monitors.agents.load import Load
from monitors.agents.models import Agent, AgentSample
from monitors.runs.models import BAD, Run

RUNS_KEY, RUNS_S = "runs-by-agent", 60


def last_day(agent: Agent, now: datetime) -> dict[str, Any]:
    """Runs finished in the last 24 hours: how many, how many bad, their mean duration in seconds (or None)."""
    took = ExpressionWrapper(F("completed_at") - F("started_at"), output_field=DurationField())
    found = Run.objects.filter(agent=agent, completed_at__gt=now - timedelta(hours=24)).aggregate(
        runs=Count("pk"), failed=Count("pk", filter=Q(status__in=BAD)), took=Avg(took)
    )
    mean = found["took"]
    return {"runs": found["runs"], "failed": found["failed"], "avg_s": round(mean.total_seconds(), 3) if mean else None}


def history(agent: Agent, now: datetime, minutes: int, load: Load) -> list[AgentSample]:
    """One sample a minute, the oldest first; the running minute as its newest beat has it."""
    kept = list(agent.samples.filter(at__gt=now - timedelta(minutes=minutes)).order_by("at"))
    minute = now.replace(second=0, microsecond=0)
    if load.status != "online" or (kept and kept[-1].at >= minute):
        return kept
    figures = {"cpu_percent": load.cpu_percent, "memory_percent": load.memory_percent}
    return [*kept, AgentSample(agent=agent, at=minute, active_runs=load.active_runs, **figures)]


def runs_by_agent(now: datetime) -> dict[str, int]:
    """How many runs of the last 24 hours each agent has ended, a minute old at most: counting them is dear."""
    found = cache.get(RUNS_KEY)
    if found is None:
        ended = Run.objects.filter(completed_at__gt=now - timedelta(hours=24)).order_by()
        found = dict(ended.values_list("agent").annotate(Count("pk")))
        cache.set(RUNS_KEY, found, RUNS_S)
    return found
