"""What was deployed onto instances, and how it went (contract: fleet console §13)."""

from datetime import datetime
from typing import Self

from django.db import models
from django.utils import timezone

from config.api.authentication import Principal
from config.ids import cuid
from fleet.instances.models import Event, Instance, Provider


class Status(models.TextChoices):
    PENDING = "PENDING", "Pending"
    IN_PROGRESS = "IN_PROGRESS", "In progress"
    SUCCEEDED = "SUCCEEDED", "Succeeded"
    FAILED = "FAILED", "Failed"
    CANCELLED = "CANCELLED", "Cancelled"


OPEN = (Status.PENDING, Status.IN_PROGRESS)


class DeploymentQuerySet(models.QuerySet["Deployment"]):
    def visible_to(self, principal: Principal | None) -> Self:
        """Those of instances that the caller may see."""
        return self.filter(instance__in=Instance.objects.visible_to(principal))

    def open(self) -> Self:
        return self.filter(status__in=OPEN)

    def abandoned(self, now: datetime) -> Self:
        """Those whose process has gone: nobody renews their lease."""
        return self.filter(status=Status.IN_PROGRESS, lease_until__lt=now)

    def untaken(self, before: datetime) -> Self:
        """Those that no worker has taken since that moment."""
        return self.filter(status=Status.PENDING, started_at__lt=before)


class Deployment(models.Model):
    """One deployment. An instance has at most one that is open.

    `came_from` is the instance's state before it; a deployment that touched nothing gives it back. `force` tells the
    driver to replace what is there. `message` and `percent` are the step that it is at.
    """

    id = models.CharField(primary_key=True, max_length=32, default=cuid, editable=False)
    instance = models.ForeignKey(Instance, on_delete=models.CASCADE, related_name="deployments")
    event = models.CharField(max_length=8, choices=[(one, one) for one in (Event.Type.DEPLOY, Event.Type.REDEPLOY)])
    template_id = models.CharField(max_length=128, null=True)  # noqa: DJ001 - null on the wire
    config_hash = models.CharField(max_length=64)
    yaml_content = models.TextField()
    provider = models.CharField(max_length=16, choices=Provider)
    region = models.CharField(max_length=64, null=True)  # noqa: DJ001
    force = models.BooleanField(default=False)
    came_from = models.CharField(max_length=12, null=True)  # noqa: DJ001 - null: the instance is new
    status = models.CharField(max_length=12, choices=Status, default=Status.PENDING)
    percent = models.PositiveSmallIntegerField(default=0)
    message = models.CharField(max_length=500, default="Waiting for a worker")
    initiated_by = models.CharField(max_length=256, null=True)  # noqa: DJ001
    logs = models.TextField(null=True)  # noqa: DJ001
    error = models.CharField(max_length=1000, null=True)  # noqa: DJ001
    started_at = models.DateTimeField(default=timezone.now)
    completed_at = models.DateTimeField(null=True)
    lease_until = models.DateTimeField(null=True)

    objects = DeploymentQuerySet.as_manager()

    class Meta:
        constraints = (
            models.UniqueConstraint(
                fields=["instance"],
                condition=models.Q(status__in=["PENDING", "IN_PROGRESS"]),
                name="deployment_one_open",
            ),
        )
        indexes = (
            models.Index(fields=["-started_at", "-id"], name="deployment_newest"),
            models.Index(fields=["instance", "-started_at", "-id"], name="deployment_of_instance"),
            models.Index(fields=["status", "lease_until"], name="deployment_open"),
        )

    def __str__(self) -> str:
        return f"{self.event} {self.instance_id}"
