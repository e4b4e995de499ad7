"""The audit log: append-only, each entry sealed to the one before (contract: fleet console §30, §1.9)."""

from django.db import models

from config.ids import cuid


class AuditEntry(models.Model):
    """One act. `number` counts without gaps; `seal` is an HMAC over the entry and the seal before it.

    Both are null from the transaction that writes the entry until it has committed; the sealing then takes its own
    short transaction, so that writers never wait for each other. Names are copied, not referenced: an entry outlives
    the people and things it tells of.
    """

    id = models.CharField(primary_key=True, max_length=32, default=cuid, editable=False)
    number = models.BigIntegerField(null=True, unique=True)
    user_id = models.CharField(max_length=32, null=True)  # noqa: DJ001 - null on the wire, here and below
    user_email = models.CharField(max_length=254, null=True)  # noqa: DJ001
    user_name = models.CharField(max_length=128, null=True)  # noqa: DJ001
    team_id = models.CharField(max_length=32, null=True)  # noqa: DJ001
    action = models.CharField(max_length=32)
    resource = models.CharField(max_length=64)
    resource_id = models.CharField(max_length=128, null=True)  # noqa: DJ001
    metadata = models.JSONField(null=True)
    ip_address = models.CharField(max_length=64, null=True)  # noqa: DJ001
    user_agent = models.CharField(max_length=256, null=True)  # noqa: DJ001
    at = models.DateTimeField()
    seal = models.CharField(max_length=64, null=True)  # noqa: DJ001

    class Meta:
        indexes = (
            models.Index(fields=["-at", "-id"], name="audit_newest"),
            models.Index(fields=["user_id", "-at"], name="audit_user"),
            models.Index(fields=["resource", "resource_id", "-at"], name="audit_resource"),
            models.Index(fields=["at", "id"], condition=models.Q(number=None), name="audit_unsealed"),
        )

    def __str__(self) -> str:
        return f"{self.number or 'unsealed'} {self.action} {self.resource}"


class AuditHead(models.Model):
    """The one row that knows where the chain begins and ends, so that a cut end shows.

    `first_number` and `first_seal` belong to the oldest kept entry: its number, and the seal of the one before it.
    """

    id = models.PositiveSmallIntegerField(primary_key=True, default=1)
    first_number = models.BigIntegerField(default=1)
    first_seal = models.CharField(max_length=64, blank=True)
    last_number = models.BigIntegerField(default=0)
    last_seal = models.CharField(max_length=64, blank=True)
    head_seal = models.CharField(max_length=64, blank=True)

    class Meta:
        constraints = (models.CheckConstraint(condition=models.Q(id=1), name="audit_head_single"),)

    def __str__(self) -> str:
        return f"audit log up to {self.last_number}"


class Verification(models.Model):
    """A walk along the chain on behalf of the page or the API; `number` and `seal` say where it goes on.

    One at a time: whoever asks while it walks gets the same. `ok` is null until it has ended.
    """

    id = models.CharField(primary_key=True, max_length=32, default=cuid, editable=False)
    is_running = models.BooleanField(default=True)
    asked_by = models.CharField(max_length=254, blank=True)
    started_at = models.DateTimeField()
    moved_at = models.DateTimeField()
    ended_at = models.DateTimeField(null=True)
    total = models.BigIntegerField(default=0)
    checked = models.BigIntegerField(default=0)
    number = models.BigIntegerField(default=0)
    seal = models.CharField(max_length=64, blank=True)
    ok = models.BooleanField(null=True)
    first_bad = models.BigIntegerField(null=True)
    reason = models.CharField(max_length=500, blank=True)

    class Meta:
        constraints = (
            models.UniqueConstraint(
                fields=["is_running"], condition=models.Q(is_running=True), name="audit_verification_alone"
            ),
            models.CheckConstraint(
                condition=models.Q(is_running=True, ok=None, ended_at=None)
                | models.Q(is_running=False, ok__isnull=False, ended_at__isnull=False),
                name="audit_verification_ended",
            ),
        )

    def __str__(self) -> str:
        return f"verification {self.pk}"

    @property
    def percent(self) -> int:
        """How much of the log is walked, at most 99 until the end."""
        return 100 if not self.is_running else min(99, 100 * self.checked // (self.total or 1))
