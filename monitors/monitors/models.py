"""Monitors and their scripts (contract: monitors §3)."""

import uuid
from datetime import datetime

from django.db import models
from django.db.models import F, Q


class Tool(models.TextChoices):
    HTTP = "http", "HTTP request"
    K6 = "k6", "k6 script"
    JMETER = "jmeter", "JMeter plan"
    LOCUST = "locust", "Locust script"
    BROWSER = "browser", "Browser script"


class MonitorQuerySet(models.QuerySet["Monitor"]):
    def due(self, now: datetime) -> "MonitorQuerySet":
        """Monitors whose next fire time has come, the most overdue first."""
        return self.filter(enabled=True, next_run_at__lte=now).order_by("next_run_at", "pk")

    def by_name(self) -> "MonitorQuerySet":
        return self.order_by("name", "pk")


class Monitor(models.Model):
    """A check that runs on a schedule.

    `next_run_at` is the claim: who moves it from one fire time to the next owns that fire (architecture §7). The
    `last_…` columns repeat facts of the newest finished run, so that lists need no look at the runs.
    """

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    name = models.CharField(max_length=200)
    tool = models.CharField(max_length=10, choices=Tool)
    schedule = models.CharField(max_length=200)
    time_zone = models.CharField(max_length=64, default="UTC")
    shortest_gap_s = models.PositiveIntegerField(editable=False)
    enabled = models.BooleanField(default=True)
    thresholds = models.JSONField(default=dict, blank=True)
    parameters = models.JSONField(default=dict, blank=True)  # name -> text, or {"secret": encrypted text}
    request = models.JSONField(null=True, blank=True)
    timeout_s = models.PositiveSmallIntegerField(null=True, blank=True)  # None: follows the schedule
    agent = models.ForeignKey("monitors.Agent", on_delete=models.PROTECT, related_name="monitors")
    alert_after = models.PositiveSmallIntegerField(default=1)
    recover_after = models.PositiveSmallIntegerField(default=1)
    reminder_minutes = models.PositiveSmallIntegerField(null=True, blank=True)  # None: no reminders
    tags = models.JSONField(default=list, blank=True)
    script_version = models.PositiveIntegerField(default=0)
    skipped_runs = models.PositiveIntegerField(default=0)
    next_run_at = models.DateTimeField(null=True, editable=False)
    last_run = models.ForeignKey(
        "monitors.Run", null=True, blank=True, on_delete=models.SET_NULL, related_name="+", editable=False
    )
    last_run_at = models.DateTimeField(null=True, editable=False)
    last_status = models.CharField(max_length=10, null=True, editable=False)  # noqa: DJ001 - null is "never run"
    last_p95_ms = models.FloatField(null=True, editable=False)
    last_error_rate = models.FloatField(null=True, editable=False)
    state_since_at = models.DateTimeField(null=True, editable=False)
    created_at = models.DateTimeField(auto_now_add=True)
    updated_at = models.DateTimeField(auto_now=True)

    objects = MonitorQuerySet.as_manager()

    class Meta:
        constraints = (
            models.CheckConstraint(condition=Q(tool__in=Tool.values), name="monitor_tool_known"),
            models.CheckConstraint(condition=Q(enabled=False) | Q(next_run_at__isnull=False), name="monitor_next_run"),
            models.CheckConstraint(
                condition=Q(timeout_s=None) | Q(timeout_s__lte=F("shortest_gap_s")), name="monitor_no_overlap"
            ),
        )
        indexes = (
            models.Index(fields=["next_run_at"], condition=Q(enabled=True), name="monitor_due"),
            models.Index(fields=["name", "id"], name="monitor_by_name"),
        )

    def __str__(self) -> str:
        return self.name

    @property
    def effective_timeout_s(self) -> int:
        """Seconds a run may take: the chosen limit, else five minutes or the shortest gap."""
        return self.timeout_s or min(300, self.shortest_gap_s)

    @property
    def script(self) -> "Script | None":
        """The newest script; None for a tool without one."""
        return self.scripts.filter(version=self.script_version).first() if self.script_version else None


class Script(models.Model):
    """One version of a monitor's script. A run keeps the version it started with."""

    monitor = models.ForeignKey(Monitor, on_delete=models.CASCADE, related_name="scripts")
    version = models.PositiveIntegerField()
    name = models.CharField(max_length=200)
    body = models.TextField()
    size = models.PositiveIntegerField()
    sha256 = models.CharField(max_length=64)
    created_at = models.DateTimeField(auto_now_add=True)

    class Meta:
        constraints = (models.UniqueConstraint(fields=["monitor", "version"], name="script_version_once"),)

    def __str__(self) -> str:
        return f"{self.name} version {self.version}"
