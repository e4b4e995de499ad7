"""Public keys that open machines (contract: fleet console §24)."""

from datetime import datetime
from typing import Any

from django.conf import settings
from django.db import models

from config.ids import cuid
from fleet.instances.models import Instance
from fleet.instances.models import Status as InstanceStatus

LEAST_RSA_BITS = 2048
WEAK_TYPES = ("dsa", "dss", "ssh-dsa", "ssh-dss")
RSA_TYPES = ("rsa", "ssh-rsa")


def _any_of(names: tuple[str, ...]) -> models.Q:
    found = models.Q()
    for name in names:
        found |= models.Q(key_type__iexact=name)
    return found


# DSA of any size; RSA that is known to be shorter than 2048 bits (contract: fleet console §24).
WEAK = _any_of(WEAK_TYPES) | (_any_of(RSA_TYPES) & models.Q(key_bits__isnull=False, key_bits__lt=LEAST_RSA_BITS))


class Status(models.TextChoices):
    ACTIVE = "ACTIVE", "Active"
    REVOKED = "REVOKED", "Revoked"
    EXPIRED = "EXPIRED", "Expired"


def standing(status: str, now: datetime) -> models.Q:
    """Keys whose status at that moment is this one: what `SshKey.status` says, asked of the database."""
    if status == Status.REVOKED:
        return models.Q(revoked_at__isnull=False) | models.Q(gone_at__isnull=False)
    over = models.Q(expires_at__isnull=False, expires_at__lte=now)
    return models.Q(revoked_at=None, gone_at=None) & (over if status == Status.EXPIRED else ~over)


class SshKeyQuerySet(models.QuerySet["SshKey"]):
    def visible_to(self, principal: Any) -> "SshKeyQuerySet":
        return self.filter(instance__in=Instance.objects.visible_to(principal))

    def current(self) -> "SshKeyQuerySet":
        """Without those of instances that are kept for history only."""
        return self.exclude(instance__status=InstanceStatus.DESTROYED)

    def in_status(self, status: str, now: datetime) -> "SshKeyQuerySet":
        """Those whose status at that moment is this one."""
        return self.filter(standing(status, now))

    def weak(self) -> "SshKeyQuerySet":
        """What `SshKey.is_weak` says, asked of the database."""
        return self.filter(WEAK)


class SshKey(models.Model):
    """A key that opens an instance, entered by a person or seen by its agent.

    `accounts`: the system accounts that the agent saw it open. `seen_at`: when the agent last saw it; null when it
    never did. `gone_at`: since when the agent sees it no more; null while it does, and for what it never saw.
    """

    id = models.CharField(primary_key=True, max_length=32, default=cuid, editable=False)
    instance = models.ForeignKey("fleet.Instance", on_delete=models.CASCADE, related_name="ssh_keys")
    fingerprint = models.CharField(max_length=256)
    comment = models.CharField(max_length=256, null=True)
    key_type = models.CharField(max_length=32)
    key_bits = models.PositiveIntegerField(null=True)
    accounts = models.JSONField(default=list)
    revoked_at = models.DateTimeField(null=True)
    last_used_at = models.DateTimeField(null=True)
    expires_at = models.DateTimeField(null=True)
    seen_at = models.DateTimeField(null=True)
    gone_at = models.DateTimeField(null=True)
    created_at = models.DateTimeField(auto_now_add=True)

    objects = SshKeyQuerySet.as_manager()

    class Meta:
        constraints = (models.UniqueConstraint(fields=["instance", "fingerprint"], name="ssh_key_once"),)

    def __str__(self) -> str:
        return self.fingerprint

    @property
    def is_weak(self) -> bool:
        """DSA of any size; RSA that is known to be shorter than 2048 bits."""
        kind = self.key_type.lower()
        short = self.key_bits is not None and self.key_bits < LEAST_RSA_BITS
        return kind in WEAK_TYPES or (kind in RSA_TYPES and short)

    def status(self, now: datetime) -> Status:
        """Expiry is looked at when read, so that no flag has to be kept up to date.

        What is gone from the machine opens it no more: that is as good as revoked.
        """
        if self.revoked_at or self.gone_at:
            return Status.REVOKED
        return Status.EXPIRED if self.expires_at and self.expires_at <= now else Status.ACTIVE

    def is_expired(self, now: datetime) -> bool:
        """By its time alone, whether it was revoked or not."""
        return self.expires_at is not None and self.expires_at <= now


class ServerKey(models.Model):
    """The key with which Pharos itself opens machines; one at most. The private part exists only encrypted."""

    id = models.PositiveSmallIntegerField(primary_key=True, default=1, editable=False)
    public_key = models.CharField(max_length=512)
    comment = models.CharField(max_length=256)
    sealed_private_key = models.TextField(editable=False)
    created_at = models.DateTimeField()
    created_by = models.ForeignKey(settings.AUTH_USER_MODEL, null=True, on_delete=models.SET_NULL, related_name="+")

    class Meta:
        constraints = (models.CheckConstraint(condition=models.Q(id=1), name="server_key_once"),)

    def __str__(self) -> str:
        return self.comment
