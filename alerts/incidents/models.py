"""Alerts: what is wrong, since when, and what was done about it (contracts: fleet console §9, monitors §6)."""

import uuid
from typing import Self

from django.conf import settings
from django.db import models

from config.api.authentication import Principal
from config.ids import cuid


class Severity(models.TextChoices):
    CRITICAL = "CRITICAL", "Critical"
    HIGH = "HIGH", "High"
    MEDIUM = "MEDIUM", "Medium"
    LOW = "LOW", "Low"
    INFO = "INFO", "Info"


class Status(models.TextChoices):
    ACTIVE = "ACTIVE", "Open"
    ACKNOWLEDGED = "ACKNOWLEDGED", "Acknowledged"
    SILENCED = "SILENCED", "Silenced"
    RESOLVED = "RESOLVED", "Resolved"


OPEN = (Status.ACTIVE, Status.ACKNOWLEDGED, Status.SILENCED)
SYSTEM = "system:auto-resolution"


class Source(models.TextChoices):
    """What found the trouble; one store holds the alerts of all."""

    RULE = "rule", "Rule"
    MONITOR = "monitor", "Monitor"
    OBJECTIVE = "objective", "Objective"
    LOAD_TEST = "loadtest", "Load test"
    COSTS = "costs", "Costs"
    SECURITY = "security", "Security"


class Hold(models.TextChoices):
    """Why nobody is told of an open alert although no silence covers it."""

    NONE = "", "Not held"
    DEPENDENCY = "dependency", "What it depends on is down"
    FLAPPING = "flapping", "It comes and goes"


class AlertQuerySet(models.QuerySet["Alert"]):
    def open(self) -> Self:
        """Alerts that are not over; at most one for each key."""
        return self.filter(status__in=OPEN)

    def visible_to(self, principal: Principal | None) -> Self:
        """Alerts of instances that the caller may see, and those of no instance.

        A key that is bound to an instance sees that one's only.
        """
        if principal is None:
            return self.none()
        if principal.instance_id:
            return self.filter(instance_id=principal.instance_id)
        if principal.sees_all:
            return self
        own = models.Q(instance__team_id__in=list(principal.teams)) | models.Q(instance__team_id=None)
        return self.filter(models.Q(instance_id=None) | own)

    def newest_first(self) -> Self:
        return self.order_by("-fired_at", "-pk")


class Alert(models.Model):
    """One alert, from firing to its end. Two clients know it: by `id` (fleet console) and by `uuid` (monitors API).

    `dedupe_key` names what is wrong; the database lets one open alert carry it. `labels` are what silences, groupings
    and policies ask about. While `held`, nobody is told; `look_at` is when that is judged again. `next_step` of the
    `policy` is due at `next_step_at`.
    """

    id = models.CharField(primary_key=True, max_length=32, default=cuid, editable=False)
    uuid = models.UUIDField(default=uuid.uuid4, unique=True, editable=False)
    source = models.CharField(max_length=12, choices=Source)
    type = models.CharField(max_length=12)
    severity = models.CharField(max_length=8, choices=Severity)
    status = models.CharField(max_length=12, choices=Status, default=Status.ACTIVE)
    title = models.CharField(max_length=300)
    message = models.CharField(max_length=2000)
    metadata = models.JSONField(null=True, blank=True)
    dedupe_key = models.CharField(max_length=128)
    rule = models.ForeignKey("alerts.Rule", null=True, on_delete=models.CASCADE, related_name="alerts")
    instance = models.ForeignKey("fleet.Instance", null=True, on_delete=models.CASCADE, related_name="alerts")
    monitor = models.ForeignKey("monitors.Monitor", null=True, on_delete=models.CASCADE, related_name="alerts")
    run_id = models.UUIDField(null=True)
    last_run_id = models.UUIDField(null=True)
    resolved_by_run_id = models.UUIDField(null=True)
    breaches = models.JSONField(default=list)
    occurrences = models.PositiveIntegerField(default=1)
    fired_at = models.DateTimeField()
    reminded_at = models.DateTimeField(null=True)
    acknowledged_at = models.DateTimeField(null=True)
    acknowledged_by = models.CharField(max_length=64, null=True)
    acknowledged_by_name = models.CharField(max_length=254, null=True)
    note = models.CharField(max_length=2000, blank=True)
    resolved_at = models.DateTimeField(null=True)
    resolved_by = models.CharField(max_length=64, null=True)
    labels = models.JSONField(default=dict)
    group = models.ForeignKey("alerts.AlertGroup", null=True, on_delete=models.SET_NULL, related_name="alerts")
    flapping = models.BooleanField(default=False)
    held = models.CharField(max_length=12, choices=Hold, default=Hold.NONE, blank=True)
    held_by = models.CharField(max_length=300, blank=True)
    look_at = models.DateTimeField(null=True)
    policy = models.ForeignKey("alerts.Policy", null=True, on_delete=models.SET_NULL, related_name="+")
    next_step = models.PositiveSmallIntegerField(default=0)
    next_step_at = models.DateTimeField(null=True)

    objects = AlertQuerySet.as_manager()

    class Meta:
        constraints = (
            models.UniqueConstraint(
                fields=["dedupe_key"], condition=~models.Q(status="RESOLVED"), name="alert_open_once"
            ),
            models.CheckConstraint(
                condition=models.Q(status="RESOLVED", resolved_at__isnull=False)
                | (~models.Q(status="RESOLVED") & models.Q(resolved_at=None)),
                name="alert_resolved_has_time",
            ),
        )
        indexes = (
            models.Index(fields=["-fired_at", "-id"], name="alert_newest"),
            models.Index(fields=["status", "-fired_at"], name="alert_by_status"),
            models.Index(fields=["rule", "-fired_at"], name="alert_of_rule"),
            models.Index(fields=["monitor", "-fired_at"], name="alert_of_monitor"),
            models.Index(fields=["dedupe_key", "-fired_at"], name="alert_of_key"),
            models.Index(fields=["look_at"], condition=models.Q(look_at__isnull=False), name="alert_to_look_at"),
            models.Index(
                fields=["next_step_at"], condition=models.Q(next_step_at__isnull=False), name="alert_step_due"
            ),
        )

    def __str__(self) -> str:
        return self.title

    @property
    def is_open(self) -> bool:
        return self.status != Status.RESOLVED

    @property
    def team_id(self) -> str | None:
        """The team whose thing it is about; None for what belongs to everyone."""
        return self.instance.team_id if self.instance else None

    @property
    def subject(self) -> str:
        """The name of what it is about."""
        about = self.instance or self.monitor
        return about.name if about else self.labels.get("subject", "the fleet")


class AlertEvent(models.Model):
    """One line of an alert's story."""

    class Kind(models.TextChoices):
        FIRED = "fired", "Fired"
        REPEATED = "repeated", "Happened again"
        ACKNOWLEDGED = "acknowledged", "Acknowledged"
        NOTED = "noted", "Note changed"
        FLAPPING = "flapping", "Flapping"
        SILENCED = "silenced", "Silenced"
        UNSILENCED = "unsilenced", "No longer silenced"
        HELD = "held", "Held back"
        RELEASED = "released", "Told after all"
        ESCALATED = "escalated", "Escalated"
        REMINDED = "reminded", "Still open"
        RESOLVED = "resolved", "Resolved"

    alert = models.ForeignKey(Alert, on_delete=models.CASCADE, related_name="events")
    kind = models.CharField(max_length=12, choices=Kind)
    at = models.DateTimeField()
    user = models.ForeignKey(settings.AUTH_USER_MODEL, null=True, on_delete=models.SET_NULL, related_name="+")
    text = models.CharField(max_length=2000, blank=True)

    class Meta:
        indexes = (models.Index(fields=["alert", "at"], name="alert_story"),)

    def __str__(self) -> str:
        return f"{self.kind} {self.alert_id}"
