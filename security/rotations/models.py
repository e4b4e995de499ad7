"""Secrets that somebody has to rotate on a machine, wherever their value is kept (contract: fleet console §23)."""

from datetime import datetime, timedelta
from typing import Any

from django.db import models

from config.ids import cuid


class RotationQuerySet(models.QuerySet["Rotation"]):
    def visible_to(self, principal: Any) -> "RotationQuerySet":
        if principal.sees_all:
            return self
        return self.filter(models.Q(instance__team_id=None) | models.Q(instance__team_id__in=list(principal.teams)))


class Rotation(models.Model):
    """A duty to rotate a secret each `rotation_days`. Only the name is known here."""

    id = models.CharField(primary_key=True, max_length=32, default=cuid, editable=False)
    instance = models.ForeignKey("fleet.Instance", on_delete=models.CASCADE, related_name="rotations")
    secret_name = models.CharField(max_length=256)
    secret_type = models.CharField(max_length=64)
    rotation_days = models.PositiveSmallIntegerField(default=90)
    last_rotated_at = models.DateTimeField(null=True)
    created_at = models.DateTimeField(auto_now_add=True)

    objects = RotationQuerySet.as_manager()

    class Meta:
        constraints = (models.UniqueConstraint(fields=["instance", "secret_name"], name="rotation_once"),)

    def __str__(self) -> str:
        return f"{self.secret_name} of {self.instance_id}"

    @property
    def next_at(self) -> datetime | None:
        """When it is due; None when it was never rotated, which is overdue."""
        return self.last_rotated_at + timedelta(days=self.rotation_days) if self.last_rotated_at else None

    def is_overdue(self, now: datetime) -> bool:
        return self.next_at is None or now > self.next_at
