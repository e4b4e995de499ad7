"""The machines of the fleet and what happened to them (contract: fleet console §4, §5.1, §35)."""

from datetime import datetime, timedelta
from typing import Any, Self

from django.conf import settings
from django.db import models
from django.utils import timezone

from config.api.authentication import Principal
from config.ids import cuid


class Provider(models.TextChoices):
    FLY = "fly", "Fly.io"
    DOCKER = "docker", "Docker"
    DEVPOD = "devpod", "DevPod"
    E2B = "e2b", "E2B"
    KUBERNETES = "kubernetes", "Kubernetes"
    DIGITALOCEAN = "digitalocean", "DigitalOcean"
    GCP = "gcp", "Google Cloud"
    AZURE = "azure", "Azure"
    AWS = "aws", "AWS"
    RUNPOD = "runpod", "RunPod"
    NORTHFLANK = "northflank", "Northflank"
    SSH = "ssh", "Own machine"


class Distro(models.TextChoices):
    UBUNTU = "ubuntu", "Ubuntu"
    FEDORA = "fedora", "Fedora"
    OPENSUSE = "opensuse", "openSUSE"


class Status(models.TextChoices):
    RUNNING = "RUNNING", "Running"
    STOPPED = "STOPPED", "Stopped"
    DEPLOYING = "DEPLOYING", "Deploying"
    DESTROYING = "DESTROYING", "Destroying"
    DESTROYED = "DESTROYED", "Destroyed"
    SUSPENDED = "SUSPENDED", "Suspended"
    ERROR = "ERROR", "Error"
    UNKNOWN = "UNKNOWN", "Unknown"


# A name is free again once its record has one of these.
INACTIVE = (Status.DESTROYED, Status.ERROR)


class InstanceQuerySet(models.QuerySet["Instance"]):
    def visible_to(self, principal: Principal | None) -> Self:
        """What the caller may see: instances without a team and those of its teams; administrators see all.

        A key that is bound to an instance sees that one only (contract: fleet console §1.4).
        """
        if principal is None:
            return self.none()
        if principal.instance_id:
            return self.filter(pk=principal.instance_id)
        if principal.sees_all:
            return self
        return self.filter(models.Q(team_id=None) | models.Q(team_id__in=list(principal.teams)))

    def active(self) -> Self:
        """Records that hold their name; at most one of each name."""
        return self.exclude(status__in=INACTIVE)

    def existing(self) -> Self:
        """Everything but what is kept for history only."""
        return self.exclude(status=Status.DESTROYED)

    def silent(self, now: datetime) -> Self:
        """Running ones that have reported before and whose time to look again has come."""
        due = models.Q(offline_after=None) | models.Q(offline_after__lte=now)
        return self.filter(due, status=Status.RUNNING, last_seen_at__isnull=False)


class Instance(models.Model):
    """One machine. `external_id` is what its agent calls itself on the wire.

    An instance that was enrolled and has not reported yet is UNKNOWN with `last_seen_at` null. `offline_after` is
    when to look whether it still reports; it is moved on by that look and not by each heartbeat, so that heartbeats
    touch no indexed column.
    """

    id = models.CharField(primary_key=True, max_length=32, default=cuid, editable=False)
    external_id = models.CharField(max_length=128, null=True, blank=True, db_index=True)  # noqa: DJ001
    name = models.CharField(max_length=256)
    provider = models.CharField(max_length=16, choices=Provider)
    region = models.CharField(max_length=64, null=True, blank=True)  # noqa: DJ001 - null on the wire
    distro = models.CharField(max_length=16, choices=Distro, null=True, blank=True)  # noqa: DJ001
    extensions = models.JSONField(default=list, blank=True)
    config_hash = models.CharField(max_length=64, null=True, blank=True)  # noqa: DJ001
    ssh_endpoint = models.CharField(max_length=256, null=True, blank=True)  # noqa: DJ001
    status = models.CharField(max_length=12, choices=Status, default=Status.UNKNOWN)
    team = models.ForeignKey(
        "security.Team", null=True, blank=True, on_delete=models.SET_NULL, related_name="instances"
    )
    tags = models.JSONField(default=dict, blank=True)

    geo_lat = models.FloatField(null=True, blank=True)
    geo_lon = models.FloatField(null=True, blank=True)
    geo_label = models.CharField(max_length=128, null=True, blank=True)  # noqa: DJ001
    geo_source = models.CharField(max_length=32, null=True, blank=True)  # noqa: DJ001

    agent_version = models.CharField(max_length=64, null=True, blank=True)  # noqa: DJ001
    os = models.CharField(max_length=32, null=True, blank=True)  # noqa: DJ001
    arch = models.CharField(max_length=32, null=True, blank=True)  # noqa: DJ001
    sindri_version = models.CharField(max_length=64, null=True, blank=True)  # noqa: DJ001
    cli_target = models.CharField(max_length=64, null=True, blank=True)  # noqa: DJ001

    last_seen_at = models.DateTimeField(null=True, blank=True, editable=False)
    uptime_s = models.BigIntegerField(null=True, blank=True, editable=False)
    last_sample = models.JSONField(null=True, blank=True, editable=False)
    offline_after = models.DateTimeField(null=True, blank=True, editable=False, db_index=True)
    created_at = models.DateTimeField(auto_now_add=True)
    updated_at = models.DateTimeField(auto_now=True)

    objects = InstanceQuerySet.as_manager()

    class Meta:
        constraints = (
            models.UniqueConstraint(
                fields=["name"],
                condition=~models.Q(status__in=["DESTROYED", "ERROR"]),
                name="instance_active_name_once",
            ),
            models.CheckConstraint(condition=models.Q(status__in=Status.values), name="instance_status_known"),
        )
        indexes = (models.Index(fields=["-created_at", "-id"], name="instance_newest"),)

    def __str__(self) -> str:
        return self.name

    @property
    def online(self) -> bool:
        """Whether it reported within the offline timeout."""
        return self.online_at(timezone.now())

    def online_at(self, now: datetime) -> bool:
        timeout = timedelta(seconds=settings.OFFLINE_AFTER_S)
        return self.last_seen_at is not None and self.last_seen_at + timeout > now

    @property
    def awaiting_first_contact(self) -> bool:
        """Enrolled, and its agent has not reported yet."""
        return self.status == Status.UNKNOWN and self.last_seen_at is None


class Inventory(models.Model):
    """What the agent told about the inside of its machine. A list that was never reported is null."""

    instance = models.OneToOneField(Instance, primary_key=True, on_delete=models.CASCADE, related_name="inventory")
    processes = models.JSONField(null=True)
    processes_at = models.DateTimeField(null=True)
    extensions = models.JSONField(null=True)
    extensions_at = models.DateTimeField(null=True)

    def __str__(self) -> str:
        return f"inventory of {self.instance_id}"


class Event(models.Model):
    """Something that happened to an instance."""

    class Type(models.TextChoices):
        DEPLOY = "DEPLOY", "Registered"
        REDEPLOY = "REDEPLOY", "Redeployed"
        CONNECT = "CONNECT", "Connected"
        DISCONNECT = "DISCONNECT", "Disconnected"
        BACKUP = "BACKUP", "Backup"
        RESTORE = "RESTORE", "Restore"
        DESTROY = "DESTROY", "Removed"
        SUSPEND = "SUSPEND", "Suspended"
        RESUME = "RESUME", "Resumed"
        EXTENSION_INSTALL = "EXTENSION_INSTALL", "Extension installed"
        EXTENSION_REMOVE = "EXTENSION_REMOVE", "Extension removed"
        HEARTBEAT_LOST = "HEARTBEAT_LOST", "Heartbeat lost"
        HEARTBEAT_RECOVERED = "HEARTBEAT_RECOVERED", "Heartbeat recovered"
        ERROR = "ERROR", "Error"

    id = models.CharField(primary_key=True, max_length=32, default=cuid, editable=False)
    instance = models.ForeignKey(Instance, on_delete=models.CASCADE, related_name="events")
    type = models.CharField(max_length=24, choices=Type)
    timestamp = models.DateTimeField(default=timezone.now)
    metadata = models.JSONField(null=True, blank=True)

    class Meta:
        indexes = (
            models.Index(fields=["instance", "-timestamp", "-id"], name="event_of_instance"),
            models.Index(fields=["timestamp"], name="event_age"),
        )

    def __str__(self) -> str:
        return f"{self.type} {self.instance_id}"


def facts(instance: Instance) -> dict[str, Any]:
    """What the audit log notes about an instance."""
    return {name: getattr(instance, name) for name in ("name", "provider", "region", "status", "team_id", "tags")}
