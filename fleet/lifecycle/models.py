"""What is being done to instances, and the backups that came of it (contract: fleet console §5)."""

import uuid
from datetime import datetime
from typing import Self

from django.db import models
from django.utils import timezone

from fleet.providers.base import ACTIONS, BACKUP, DESTROY, RESUME, SUSPEND


class Progress(models.TextChoices):
    PENDING = "pending", "Pending"
    IN_PROGRESS = "in_progress", "In progress"
    COMPLETED = "completed", "Completed"
    FAILED = "failed", "Failed"


OPEN = (Progress.PENDING, Progress.IN_PROGRESS)


class Compression(models.TextChoices):
    NONE = "none", "None"
    GZIP = "gzip", "gzip"
    ZSTD = "zstd", "Zstandard"


class Backup(models.Model):
    """A backup that was asked for. `place`, `size_bytes` and `sha256` are null until they are known."""

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    instance = models.ForeignKey("fleet.Instance", on_delete=models.CASCADE, related_name="backups")
    label = models.CharField(max_length=256)
    compression = models.CharField(max_length=8, choices=Compression)
    status = models.CharField(max_length=12, choices=Progress, default=Progress.PENDING)
    driver = models.CharField(max_length=16)
    place = models.CharField(max_length=1024, null=True)  # noqa: DJ001 - null: not known
    size_bytes = models.BigIntegerField(null=True)
    sha256 = models.CharField(max_length=64, null=True)  # noqa: DJ001
    message = models.CharField(max_length=500, null=True)  # noqa: DJ001
    by = models.CharField(max_length=256, blank=True)
    created_at = models.DateTimeField(default=timezone.now)
    completed_at = models.DateTimeField(null=True)

    class Meta:
        indexes = (models.Index(fields=["instance", "-created_at", "-id"], name="backup_of_instance"),)

    def __str__(self) -> str:
        return self.label


class OperationQuerySet(models.QuerySet["Operation"]):
    def open(self) -> Self:
        return self.filter(status__in=OPEN)

    def abandoned(self, now: datetime) -> Self:
        """Those whose process has gone: nobody renews their lease."""
        return self.filter(status=Progress.IN_PROGRESS, lease_until__lt=now)

    def untaken(self, before: datetime) -> Self:
        """Those that no worker has taken since that moment."""
        return self.filter(status=Progress.PENDING, created_at__lt=before)


class Operation(models.Model):
    """Something that is done to a machine. An instance has at most one that is open: so nothing is done twice."""

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    instance = models.ForeignKey("fleet.Instance", on_delete=models.CASCADE, related_name="operations")
    action = models.CharField(max_length=8, choices=[(name, name) for name in ACTIONS])
    status = models.CharField(max_length=12, choices=Progress, default=Progress.PENDING)
    driver = models.CharField(max_length=16)
    backup = models.OneToOneField(Backup, null=True, on_delete=models.CASCADE, related_name="operation")
    by = models.CharField(max_length=256, blank=True)
    message = models.CharField(max_length=500, null=True)  # noqa: DJ001 - null: nothing to say
    created_at = models.DateTimeField(default=timezone.now)
    started_at = models.DateTimeField(null=True)
    completed_at = models.DateTimeField(null=True)
    lease_until = models.DateTimeField(null=True)

    objects = OperationQuerySet.as_manager()

    class Meta:
        constraints = (
            models.UniqueConstraint(
                fields=["instance"],
                condition=models.Q(status__in=["pending", "in_progress"]),
                name="operation_one_open",
            ),
        )
        indexes = (
            models.Index(fields=["status", "lease_until"], name="operation_open"),
            models.Index(fields=["instance", "-created_at"], name="operation_of_instance"),
        )

    def __str__(self) -> str:
        return f"{self.action} {self.instance_id}"

    def get_doing(self) -> str:
        """What goes on, for people."""
        if self.action == DESTROY and self.backup_id:
            return "Backup, then destruction"
        return {SUSPEND: "Suspending", RESUME: "Resuming", DESTROY: "Destroying", BACKUP: "Backing up"}[self.action]
