"""Runs of load testing, their live series and their parts (contract: load testing §11-14). Rows are the truth."""

from datetime import datetime, timedelta

from django.db import models
from django.db.models import Q

RESEND_AFTER = timedelta(seconds=3)
TAKE_WITHIN = timedelta(minutes=15)


class Kind(models.TextChoices):
    DESIGN = "design", "Design"
    LOAD = "load", "Load"


class Status(models.TextChoices):
    PENDING = "pending", "Waiting"
    RUNNING = "running", "Running"
    COMPLETED = "completed", "Completed"
    FAILED = "failed", "Failed"
    STOPPED = "stopped", "Stopped"


ACTIVE = (Status.PENDING, Status.RUNNING)
FINAL = (Status.COMPLETED, Status.FAILED, Status.STOPPED)


class RunQuerySet(models.QuerySet["Run"]):
    def visible(self) -> "RunQuerySet":
        """All but those whose deletion waits for their worker."""
        return self.filter(doomed=False)

    def newest_first(self) -> "RunQuerySet":
        return self.order_by("-started_at", "-pk")

    def light(self) -> "RunQuerySet":
        """Without the columns that only a report needs."""
        return self.defer("plan", "figures", "report", "result", "test_validation")

    def unsent(self, now: datetime) -> "RunQuerySet":
        """Load runs that no worker took although they were sent, the oldest first."""
        waiting = self.filter(kind=Kind.LOAD, status=Status.PENDING, started_at__lte=now - RESEND_AFTER)
        return waiting.order_by("started_at", "pk")

    def untaken(self, now: datetime) -> "RunQuerySet":
        """Load runs that waited for a worker longer than they may."""
        return self.filter(kind=Kind.LOAD, status=Status.PENDING, started_at__lt=now - TAKE_WITHIN)

    def abandoned(self, now: datetime) -> "RunQuerySet":
        """Running rows whose worker has stopped renewing its lease."""
        return self.filter(status=Status.RUNNING, lease_until__lt=now)

    def expired(self, before: datetime) -> "RunQuerySet":
        """Runs that are over since before that moment and that nobody pinned."""
        return self.filter(ended_at__lt=before, pinned=False)


class Run(models.Model):
    """One run: `PENDING → RUNNING (lease_until) → final`, each step one conditional update.

    `config` is the body that the run was started with, without its secrets; `plan` is what the worker needs, sealed,
    and is emptied at the end. `mode` is how a load run paces itself. `attempt` names the claim of a worker: an update
    with another attempt changes nothing.
    `report` and `figures` are the engine's report and its added-up counts, kept up to date while the run lasts.
    `connections` is what the run may open at once; it counts against the limit over all runs.
    """

    id = models.CharField(primary_key=True, max_length=128, editable=False)
    kind = models.CharField(max_length=10, choices=Kind)
    status = models.CharField(max_length=10, choices=Status, default=Status.PENDING)
    mode = models.CharField(max_length=24, blank=True)
    request_id = models.CharField(max_length=128, null=True)
    environment_id = models.CharField(max_length=128, null=True)
    requested_by = models.CharField(max_length=254, blank=True)
    config = models.JSONField(default=dict)
    plan = models.TextField(blank=True)
    connections = models.PositiveIntegerField(default=0)
    shard_count = models.PositiveSmallIntegerField(default=1)
    started_at = models.DateTimeField()
    ended_at = models.DateTimeField(null=True)
    message = models.CharField(max_length=2000, blank=True)
    warnings = models.JSONField(default=list)
    attempt = models.UUIDField(null=True)
    lease_until = models.DateTimeField(null=True)
    stop_requested_at = models.DateTimeField(null=True)
    begins_at = models.DateTimeField(null=True)
    doomed = models.BooleanField(default=False)
    pinned = models.BooleanField(default=False)
    figures = models.JSONField(null=True)
    report = models.JSONField(null=True)
    test_validation = models.JSONField(null=True)
    result = models.JSONField(null=True)

    objects = RunQuerySet.as_manager()

    class Meta:
        constraints = (
            models.CheckConstraint(condition=Q(kind__in=Kind.values), name="load_run_kind_known"),
            models.CheckConstraint(condition=Q(status__in=Status.values), name="load_run_status_known"),
            models.CheckConstraint(
                condition=Q(status__in=ACTIVE, ended_at=None) | Q(status__in=FINAL, ended_at__isnull=False, plan=""),
                name="load_run_ended_when_final",
            ),
            models.CheckConstraint(
                condition=~Q(status="running") | Q(lease_until__isnull=False), name="load_run_running_has_lease"
            ),
        )
        indexes = (
            models.Index(fields=["-started_at", "-id"], name="load_run_newest"),
            models.Index(fields=["request_id", "-started_at"], name="load_run_of_request"),
            models.Index(fields=["status", "started_at"], condition=Q(ended_at=None), name="load_run_open"),
            models.Index(fields=["ended_at"], name="load_run_ended"),
        )

    def __str__(self) -> str:
        return f"load run {self.pk}"

    @property
    def is_over(self) -> bool:
        return self.status in FINAL


class RunTick(models.Model):
    """One point of a run's live series: number `n` from 0, gapless. `data` is the tick as JSON text, as it is sent."""

    run = models.ForeignKey(Run, on_delete=models.CASCADE, related_name="ticks")
    n = models.PositiveIntegerField()
    at = models.DateTimeField()
    data = models.TextField()

    class Meta:
        constraints = (models.UniqueConstraint(fields=["run", "n"], name="load_run_tick_once"),)

    def __str__(self) -> str:
        return f"tick {self.n} of {self.run_id}"


class ShardStatus(models.TextChoices):
    WAITING = "waiting", "Waiting"
    READY = "ready", "Ready"
    RUNNING = "running", "Running"
    FINISHED = "finished", "Finished"
    LOST = "lost", "Lost"


class RunShard(models.Model):
    """One worker's part of a run that is spread over several: number `index` of the run's `shard_count`.

    `figures` and `samples` are its newest counts, which the coordinator adds up. All parts begin at the run's
    `begins_at`, which the coordinator sets when they are ready.
    """

    run = models.ForeignKey(Run, on_delete=models.CASCADE, related_name="shards")
    index = models.PositiveSmallIntegerField()
    status = models.CharField(max_length=10, choices=ShardStatus, default=ShardStatus.WAITING)
    attempt = models.UUIDField(null=True)
    lease_until = models.DateTimeField(null=True)
    stop_requested = models.BooleanField(default=False)
    host = models.CharField(max_length=255, blank=True)
    message = models.CharField(max_length=2000, blank=True)
    figures = models.JSONField(null=True)
    samples = models.JSONField(null=True)

    class Meta:
        constraints = (
            models.UniqueConstraint(fields=["run", "index"], name="load_run_shard_once"),
            models.CheckConstraint(condition=Q(status__in=ShardStatus.values), name="load_run_shard_status_known"),
        )

    def __str__(self) -> str:
        return f"part {self.index} of {self.run_id}"
