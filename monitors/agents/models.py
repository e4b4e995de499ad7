"""Where runs take place: agents (places), their worker processes, and how busy they were (contract: monitors §7)."""

import uuid
from datetime import datetime, timedelta

from django.db import models

DEFAULT = "default"
ONLINE_FOR = timedelta(seconds=45)  # three missed beats of 15 s


class AgentQuerySet(models.QuerySet["Agent"]):
    def current(self) -> "AgentQuerySet":
        """Agents that were not removed."""
        return self.filter(removed_at=None)


class Agent(models.Model):
    """A place that takes runs. `default` is the platform's own workers and always exists.

    Every other agent has a token, of which the digest is kept. A removed agent stays as a row without one, since
    its runs tell where they took place.
    """

    id = models.SlugField(primary_key=True, max_length=63)
    name = models.CharField(max_length=200)
    location = models.CharField(max_length=200, blank=True)
    token_digest = models.CharField(max_length=64, null=True, unique=True)
    created_at = models.DateTimeField(auto_now_add=True)
    removed_at = models.DateTimeField(null=True)

    objects = AgentQuerySet.as_manager()

    class Meta:
        constraints = (
            models.CheckConstraint(
                condition=models.Q(removed_at=None) | models.Q(token_digest=None), name="agent_removed_has_no_token"
            ),
        )

    def __str__(self) -> str:
        return self.name


class WorkerQuerySet(models.QuerySet["Worker"]):
    def online(self, now: datetime) -> "WorkerQuerySet":
        return self.filter(heartbeat_at__gte=now - ONLINE_FOR)


class Worker(models.Model):
    """One worker process of an agent and its last beat. Figures are of the machine; unknown ones are null."""

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    agent = models.ForeignKey(Agent, on_delete=models.CASCADE, related_name="workers")
    host = models.CharField(max_length=200)
    version = models.CharField(max_length=40)
    tools = models.JSONField(default=dict)
    capacity = models.PositiveSmallIntegerField()
    started_at = models.DateTimeField()
    heartbeat_at = models.DateTimeField(db_index=True)
    cpu_percent = models.FloatField(null=True)
    memory_percent = models.FloatField(null=True)
    memory_used_mb = models.FloatField(null=True)
    load_average = models.JSONField(null=True)

    objects = WorkerQuerySet.as_manager()

    def __str__(self) -> str:
        return f"worker on {self.host}"

    def is_online(self, now: datetime) -> bool:
        return self.heartbeat_at >= now - ONLINE_FOR


class AgentSample(models.Model):
    """One minute of an agent, for the chart of the last day."""

    agent = models.ForeignKey(Agent, on_delete=models.CASCADE, related_name="samples")
    at = models.DateTimeField()
    cpu_percent = models.FloatField(null=True)
    memory_percent = models.FloatField(null=True)
    active_runs = models.PositiveIntegerField()

    class Meta:
        constraints = (models.UniqueConstraint(fields=["agent", "at"], name="agent_sample_once"),)

    def __str__(self) -> str:
        return f"{self.agent_id} at {self.at}"
