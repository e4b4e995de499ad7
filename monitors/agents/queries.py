"""What an agent did lately (contract: monitors §7)."""

from datetime import datetime, timedelta
from typing import Any

from django.db.models import Avg, Count, DurationField, ExpressionWrapper, F, Q

from monitors.agents.models import Agent, AgentSample
from monitors.runs.models import BAD, Run


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
