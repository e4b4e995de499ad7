"""Public keys that open machines (contract: fleet console §24)."""

from datetime import datetime
from typing import Any

from django.db import models

from config.ids import cuid

LEAST_RSA_BITS = 2048


class Status(models.TextChoices):
    ACTIVE = "ACTIVE", "Active"
    REVOKED = "REVOKED", "Revoked"
    EXPIRED = "EXPIRED", "Expired"


class SshKeyQuerySet(models.QuerySet["SshKey"]):
    def visible_to(self, principal: Any) -> "SshKeyQuerySet":
        if principal.sees_all:
            return self
        return self.filter(models.Q(instance__team_id=None) | models.Q(instance__team_id__in=list(principal.teams)))


class SshKey(models.Model):
    """A key that opens an instance, entered by a person or seen by its agent.

    `accounts`: the system accounts that the agent saw it open. `seen_at`: when the agent last saw it; null when it
    never did.
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
    created_at = models.DateTimeField(auto_now_add=True)

    objects = SshKeyQuerySet.as_manager()

    class Meta:
        constraints = (models.UniqueConstraint(fields=["instance", "fingerprint"], name="ssh_key_once"),)

    def __str__(self) -> str:
        return self.fingerprint

    @property
    def is_weak(self) -> bool:
        """DSA of any size; RSA that is known to be shorter than 2048 bits."""
        kind = self.key_type.lower().removeprefix("ssh-")
        short = self.key_bits is not None and self.key_bits < LEAST_RSA_BITS
        return kind in ("dsa", "dss") or (kind == "rsa" and short)

    def status(self, now: datetime) -> Status:
        """Expiry is looked at when read, so that no flag has to be kept up to date."""
        if self.revoked_at:
            return Status.REVOKED
        return Status.EXPIRED if self.expires_at and self.expires_at <= now else Status.ACTIVE
