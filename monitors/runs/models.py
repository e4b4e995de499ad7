"""Runs of monitors and their logs (contract: monitors §5). The row is the queue's truth."""

import uuid
from datetime import datetime, timedelta

from django.db import models
from django.db.models import Q

from monitors.agents.models import DEFAULT

RESEND_AFTER = timedelta(seconds=3)


class Status(models.TextChoices):
    QUEUED = "queued", "Queued"
    RUNNING = "running", "Running"
    PASS = "pass", "Pass"  # noqa: S105 - the word of the contract
    FAIL = "fail", "Fail"
    ERROR = "error", "Error"
    TIMEOUT = "timeout", "Timed out"
    CANCELLED = "cancelled", "Cancelled"


ACTIVE = (Status.QUEUED, Status.RUNNING)
GOOD = (Status.PASS,)
BAD = (Status.FAIL, Status.ERROR, Status.TIMEOUT)
FINAL = (*GOOD, *BAD, Status.CANCELLED)


class Trigger(models.TextChoices):
    SCHEDULE = "schedule", "Schedule"
    MANUAL = "manual", "By hand"


class RunQuerySet(models.QuerySet["Run"]):
    def newest_first(self) -> "RunQuerySet":
        return self.order_by("-queued_at", "-pk")

    def active(self) -> "RunQuerySet":
        """Runs that load the target or soon will: queued or running, and not waiting behind another."""
        return self.filter(status__in=ACTIVE, waiting=False)

    def finished(self) -> "RunQuerySet":
        return self.filter(status__in=FINAL)

    def uncounted(self) -> "RunQuerySet":
        """Finished runs that nobody has counted yet (`counted_at` is null), in the order in which they finished."""
        return self.filter(counted_at=None, completed_at__isnull=False).order_by("completed_at", "pk")

    def counted(self) -> "RunQuerySet":
        """Runs that were counted as good or bad, the newest first; cancelled ones are neither."""
        return self.filter(counted_at__isnull=False, status__in=(*GOOD, *BAD)).order_by("-completed_at", "-pk")

    def takeable(self) -> "RunQuerySet":
        """Queued runs that the platform's own workers can take, the oldest first."""
        return self.filter(status=Status.QUEUED, waiting=False, agent=DEFAULT).order_by("ready_at", "pk")

    def unsent(self, now: datetime) -> "RunQuerySet":
        """Those that no worker took although they were sent."""
        return self.takeable().filter(ready_at__lte=now - RESEND_AFTER)

    def abandoned(self, now: datetime) -> "RunQuerySet":
        """Running rows whose worker has stopped renewing its lease."""
        return self.filter(status=Status.RUNNING, lease_until__lt=now)

    def untaken(self, now: datetime) -> "RunQuerySet":
        """Queued runs that waited for a worker longer than they may."""
        return self.filter(status=Status.QUEUED, waiting=False, take_until__lt=now)


class Run(models.Model):
    """One run: `QUEUED → RUNNING (lease_until) → final`, each step one conditional update.

    `waiting` marks a run queued behind the active one of its monitor. `attempt` names the claim of a worker: an
    update with another attempt changes nothing. `spec` holds the settings that the run started with, in the form
    in which the monitor stores them (secrets encrypted).
    """

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    monitor = models.ForeignKey("monitors.Monitor", on_delete=models.CASCADE, related_name="runs")
    script = models.ForeignKey("monitors.Script", null=True, on_delete=models.RESTRICT, related_name="runs")
    status = models.CharField(max_length=10, choices=Status, default=Status.QUEUED)
    waiting = models.BooleanField(default=False)
    trigger = models.CharField(max_length=10, choices=Trigger)
    requested_by = models.CharField(max_length=254, blank=True)
    tool = models.CharField(max_length=10)
    agent = models.ForeignKey("monitors.Agent", on_delete=models.PROTECT, related_name="runs")
    spec = models.JSONField()
    timeout_s = models.PositiveSmallIntegerField()
    scheduled_at = models.DateTimeField(null=True)
    queued_at = models.DateTimeField()
    ready_at = models.DateTimeField()
    take_until = models.DateTimeField()
    started_at = models.DateTimeField(null=True)
    completed_at = models.DateTimeField(null=True)
    attempt = models.UUIDField(null=True)
    lease_until = models.DateTimeField(null=True)
    cancel_requested_at = models.DateTimeField(null=True)
    exit_code = models.IntegerField(null=True)
    error_code = models.CharField(max_length=20, blank=True)
    error_message = models.CharField(max_length=2000, blank=True)
    metrics = models.JSONField(null=True)
    breaches = models.JSONField(default=list)
    counted_at = models.DateTimeField(null=True)

    objects = RunQuerySet.as_manager()

    class Meta:
        constraints = (
            models.CheckConstraint(condition=Q(status__in=Status.values), name="run_status_known"),
            models.CheckConstraint(
                condition=Q(status__in=ACTIVE, completed_at=None) | Q(status__in=FINAL, completed_at__isnull=False),
                name="run_completed_when_final",
            ),
            models.CheckConstraint(
                condition=~Q(status="running") | Q(lease_until__isnull=False, attempt__isnull=False, waiting=False),
                name="run_running_has_lease",
            ),
            models.UniqueConstraint(
                fields=["monitor"], condition=Q(status__in=ACTIVE, waiting=False), name="run_one_active"
            ),
            models.UniqueConstraint(
                fields=["monitor", "scheduled_at"], condition=Q(scheduled_at__isnull=False), name="run_one_per_fire"
            ),
        )
        indexes = (
            models.Index(fields=["monitor", "-queued_at", "-id"], name="run_history"),
            models.Index(fields=["monitor", "status", "-queued_at", "-id"], name="run_history_by_status"),
            models.Index(fields=["status", "ready_at"], condition=Q(completed_at=None), name="run_open"),
            models.Index(
                fields=["completed_at", "id"],
                condition=Q(counted_at=None, completed_at__isnull=False),
                name="run_uncounted",
            ),
            models.Index(fields=["completed_at"], name="run_completed"),
        )

    def __str__(self) -> str:
        return f"run {self.pk}"

    @property
    def is_over(self) -> bool:
        return self.status in FINAL

    @property
    def duration_ms(self) -> int | None:
        """From start to end; None for a run that never started or is not over."""
        if not (self.started_at and self.completed_at):
            return None
        return round((self.completed_at - self.started_at).total_seconds() * 1000)

    @property
    def error(self) -> dict[str, str] | None:
        return {"code": self.error_code, "message": self.error_message} if self.error_code else None


class LogChunk(models.Model):
    """A piece of a run's log. `offset` counts bytes of the whole output, so a gap tells what was left out."""

    run = models.ForeignKey(Run, on_delete=models.CASCADE, related_name="log_chunks")
    offset = models.PositiveBigIntegerField()
    size = models.PositiveIntegerField()
    text = models.TextField()
    at = models.DateTimeField()

    class Meta:
        constraints = (models.UniqueConstraint(fields=["run", "offset"], name="log_chunk_once"),)
        indexes = (models.Index(fields=["at"], name="log_chunk_age"),)

    def __str__(self) -> str:
        return f"log of {self.run_id} from byte {self.offset}"


class Screenshot(models.Model):
    """What a browser showed when something failed in the run, as JPEG."""

    run = models.OneToOneField(Run, primary_key=True, on_delete=models.CASCADE, related_name="screenshot")
    image = models.BinaryField()
    at = models.DateTimeField()

    class Meta:
        indexes = (models.Index(fields=["at"], name="screenshot_age"),)

    def __str__(self) -> str:
        return f"screenshot of {self.run_id}"
