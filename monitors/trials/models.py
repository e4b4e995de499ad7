"""Trials: a monitor's settings executed once before they are saved. A trial is no run: nothing counts it, no alert."""

import uuid
from datetime import datetime, timedelta

from django.db import models
from django.db.models import Q

from monitors.runs.models import ACTIVE, FINAL, Status

KEPT = timedelta(hours=1)
LONGEST_WAIT = timedelta(seconds=60)
RESEND_AFTER = timedelta(seconds=3)


class TrialQuerySet(models.QuerySet["Trial"]):
    def active(self) -> "TrialQuerySet":
        return self.filter(completed_at=None)

    def waiting(self) -> "TrialQuerySet":
        """Those that a worker can take, the oldest first."""
        return self.filter(status=Status.QUEUED).order_by("queued_at", "pk")

    def unsent(self, now: datetime) -> "TrialQuerySet":
        """Those that no worker took although they were sent."""
        return self.waiting().filter(queued_at__lte=now - RESEND_AFTER)

    def untaken(self, now: datetime) -> "TrialQuerySet":
        """Those that have waited for a worker longer than they may."""
        return self.waiting().filter(queued_at__lte=now - LONGEST_WAIT)

    def abandoned(self, now: datetime) -> "TrialQuerySet":
        """Running ones whose worker has stopped renewing its lease."""
        return self.filter(status=Status.RUNNING, lease_until__lt=now)

    def expired(self, now: datetime) -> "TrialQuerySet":
        """Those that are over and that nobody looks at any more."""
        return self.filter(completed_at__lt=now - KEPT)


class Trial(models.Model):
    """Settings and what came of them. Steps are those of a run: `QUEUED → RUNNING (lease_until) → final`.

    `parameters` are stored as a monitor stores them, sealed for the monitor `sealed_for` (which need not exist yet).
    """

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    status = models.CharField(max_length=10, choices=Status, default=Status.QUEUED)
    requested_by = models.CharField(max_length=254, blank=True)
    name = models.CharField(max_length=200)
    tool = models.CharField(max_length=10)
    thresholds = models.JSONField(default=dict)
    parameters = models.JSONField(default=dict)
    sealed_for = models.UUIDField()
    request = models.JSONField(null=True)
    script_name = models.CharField(max_length=200, blank=True)
    script = models.TextField(blank=True)
    timeout_s = models.PositiveSmallIntegerField()
    queued_at = models.DateTimeField()
    started_at = models.DateTimeField(null=True)
    completed_at = models.DateTimeField(null=True, db_index=True)
    attempt = models.UUIDField(null=True)
    lease_until = models.DateTimeField(null=True)
    cancel_requested_at = models.DateTimeField(null=True)
    exit_code = models.IntegerField(null=True)
    error_code = models.CharField(max_length=20, blank=True)
    error_message = models.CharField(max_length=2000, blank=True)
    metrics = models.JSONField(null=True)
    breaches = models.JSONField(default=list)
    log = models.TextField(blank=True)

    objects = TrialQuerySet.as_manager()

    class Meta:
        constraints = (
            models.CheckConstraint(
                condition=Q(status__in=ACTIVE, completed_at=None) | Q(status__in=FINAL, completed_at__isnull=False),
                name="trial_completed_when_final",
            ),
            models.CheckConstraint(
                condition=~Q(status="running") | Q(lease_until__isnull=False, attempt__isnull=False),
                name="trial_running_has_lease",
            ),
        )
        indexes = (models.Index(fields=["status", "queued_at"], condition=Q(completed_at=None), name="trial_open"),)

    def __str__(self) -> str:
        return f"trial {self.pk}"

    @property
    def is_over(self) -> bool:
        return self.status in FINAL

    @property
    def duration_ms(self) -> int | None:
        """From start to end; None for a trial that never started or is not over."""
        if not (self.started_at and self.completed_at):
            return None
        return round((self.completed_at - self.started_at).total_seconds() * 1000)

    @property
    def error(self) -> dict[str, str] | None:
        return {"code": self.error_code, "message": self.error_message} if self.error_code else None
