"""Secrets that somebody has to rotate on a machine, wherever their value is kept (contract: fleet console §23)."""

from datetime import datetime, timedelta
from typing import Any

from django.db import models

from config.ids import cuid
from fleet.instances.models import Instance
from fleet.instances.models import Status as InstanceStatus


class RotationQuerySet(models.QuerySet["Rotation"]):
    def visible_to(self, principal: Any) -> "RotationQuerySet":
        return self.filter(instance__in=Instance.objects.visible_to(principal))

    def current(self) -> "RotationQuerySet":
        """Without those of instances that are kept for history only."""
        return self.exclude(instance__status=InstanceStatus.DESTROYED)

    def overdue(self, now: datetime) -> "RotationQuerySet":
        """Those that were never rotated, or too long ago."""
        return self.filter(models.Q(due_at=None) | models.Q(due_at__lt=now))

    def most_urgent_first(self) -> "RotationQuerySet":
        """Never rotated ones, then those that are due next."""
        return self.order_by(models.F("due_at").asc(nulls_first=True), "pk")


class Rotation(models.Model):
    """A duty to rotate a secret each `rotation_days`. Only the name is known here.

    `due_at` follows from the row alone, so that nothing has to refresh it; null when it was never rotated.
    """

    id = models.CharField(primary_key=True, max_length=32, default=cuid, editable=False)
    instance = models.ForeignKey("fleet.Instance", on_delete=models.CASCADE, related_name="rotations")
    secret_name = models.CharField(max_length=256)
    secret_type = models.CharField(max_length=64)
    rotation_days = models.PositiveSmallIntegerField(default=90)
    last_rotated_at = models.DateTimeField(null=True)
    due_at = models.DateTimeField(null=True, editable=False)
    created_at = models.DateTimeField(auto_now_add=True)

    objects = RotationQuerySet.as_manager()

    class Meta:
        constraints = (
            models.UniqueConstraint(fields=["instance", "secret_name"], name="rotation_once"),
            models.CheckConstraint(
                condition=models.Q(last_rotated_at=None, due_at=None)
                | models.Q(last_rotated_at__isnull=False, due_at__gt=models.F("last_rotated_at")),
                name="rotation_due_after_last",
            ),
        )
        indexes = (models.Index(fields=["due_at", "id"], name="rotation_due"),)

    def __str__(self) -> str:
        return f"{self.secret_name} of {self.instance_id}"

    def set_due(self) -> None:
        """Work `due_at` out anew, after either of what it follows from was set."""
        last = self.last_rotated_at
        self.due_at = last + timedelta(days=self.rotation_days) if last else None

    def is_overdue(self, now: datetime) -> bool:
        return self.due_at is None or now > self.due_at

    def days_since(self, now: datetime) -> int | None:
        """Whole days since it was rotated last; None when it never was."""
        return max((now - self.last_rotated_at).days, 0) if self.last_rotated_at else None
