"""The audit log: append-only, each entry sealed to the one before (contract: fleet console §30, §1.9)."""

from django.db import models

from config.ids import cuid


class AuditEntry(models.Model):
    """One act. `number` counts without gaps; `seal` is an HMAC over the entry and the seal before it.

    Names are copied, not referenced: an entry outlives the people and things it tells of.
    """

    number = models.BigIntegerField(primary_key=True)
    id = models.CharField(max_length=32, default=cuid, unique=True, editable=False)
    user_id = models.CharField(max_length=32, null=True)
    user_email = models.CharField(max_length=254, null=True)
    user_name = models.CharField(max_length=128, null=True)
    team_id = models.CharField(max_length=32, null=True)
    action = models.CharField(max_length=32)
    resource = models.CharField(max_length=64)
    resource_id = models.CharField(max_length=128, null=True)
    metadata = models.JSONField(null=True)
    ip_address = models.CharField(max_length=64, null=True)
    user_agent = models.CharField(max_length=256, null=True)
    at = models.DateTimeField(db_index=True)
    seal = models.CharField(max_length=64)

    class Meta:
        indexes = (
            models.Index(fields=["user_id", "-number"], name="audit_user"),
            models.Index(fields=["resource", "resource_id", "-number"], name="audit_resource"),
        )

    def __str__(self) -> str:
        return f"{self.number} {self.action} {self.resource}"


class AuditHead(models.Model):
    """The one row that knows where the chain begins and ends, so that a cut tail shows. Locked by every writer."""

    id = models.PositiveSmallIntegerField(primary_key=True, default=1)
    first_number = models.BigIntegerField(default=1)
    first_seal = models.CharField(max_length=64, default="")
    last_number = models.BigIntegerField(default=0)
    last_seal = models.CharField(max_length=64, default="")
    head_seal = models.CharField(max_length=64, default="")

    class Meta:
        constraints = (models.CheckConstraint(condition=models.Q(id=1), name="audit_head_single"),)

    def __str__(self) -> str:
        return f"audit log up to {self.last_number}"
