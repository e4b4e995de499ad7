"""Secrets and their versions; a value exists only encrypted (contract: fleet console §25)."""

from datetime import datetime
from typing import Self

from django.conf import settings
from django.db import models

from config.api.authentication import Principal
from config.ids import cuid
from security.vault.crypto import decrypt, encrypt

NAME_PATTERN = r"^[A-Za-z0-9_.-]+$"


class SecretType(models.TextChoices):
    ENV_VAR = "ENV_VAR", "Environment variable"
    FILE = "FILE", "File"
    CERTIFICATE = "CERTIFICATE", "Certificate"
    API_KEY = "API_KEY", "API key"


class SecretQuerySet(models.QuerySet["Secret"]):
    def visible_to(self, principal: Principal | None) -> Self:
        """Global secrets, and those of instances that the caller may see; a key of one instance sees its own only."""
        if principal is None:
            return self.none()
        if principal.instance_id:
            return self.filter(instance_id=principal.instance_id)
        if principal.sees_all:
            return self
        return self.filter(
            models.Q(instance=None)
            | models.Q(instance__team_id=None)
            | models.Q(instance__team_id__in=list(principal.teams))
        )


class Secret(models.Model):
    """A named secret, of one instance or global. `scope` names what may use it by reference.

    `version` is the number of the version in force.
    """

    id = models.CharField(primary_key=True, max_length=32, default=cuid, editable=False)
    name = models.CharField(max_length=256)
    description = models.CharField(max_length=512, null=True, blank=True)
    type = models.CharField(max_length=12, choices=SecretType, default=SecretType.ENV_VAR)
    instance = models.ForeignKey(
        "fleet.Instance", null=True, blank=True, on_delete=models.CASCADE, related_name="secrets"
    )
    scope = models.JSONField(default=list, blank=True)
    version = models.PositiveIntegerField(default=1)
    expires_at = models.DateTimeField(null=True, blank=True)
    created_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, null=True, blank=True, on_delete=models.SET_NULL, related_name="+"
    )
    created_at = models.DateTimeField(auto_now_add=True)
    updated_at = models.DateTimeField(auto_now=True)
    last_rotated_at = models.DateTimeField(null=True, blank=True)
    last_read_at = models.DateTimeField(null=True, blank=True)
    # Since when somebody who knew the value should not any more; the next rotation answers it.
    rotation_asked_at = models.DateTimeField(null=True, blank=True)

    objects = SecretQuerySet.as_manager()

    class Meta:
        constraints = (
            models.UniqueConstraint(fields=["name", "instance"], name="secret_name_once"),
            models.UniqueConstraint(fields=["name"], condition=models.Q(instance=None), name="secret_global_name_once"),
            models.CheckConstraint(condition=models.Q(type__in=SecretType.values), name="secret_type_known"),
        )
        indexes = (models.Index(fields=["expires_at"], name="secret_expiry"),)

    def __str__(self) -> str:
        return self.name

    @property
    def team_id(self) -> str | None:
        """The team of its instance, whose members' roles count."""
        return self.instance.team_id if self.instance else None

    def is_expired(self, now: datetime) -> bool:
        return self.expires_at is not None and self.expires_at <= now

    @property
    def needs_rotation(self) -> bool:
        """Whether it was marked for rotation and not rotated since."""
        asked, done = self.rotation_asked_at, self.last_rotated_at
        return asked is not None and (done is None or done < asked)


class SecretVersion(models.Model):
    """One value that a secret has or had. The token is bound to this row's id."""

    id = models.CharField(primary_key=True, max_length=32, default=cuid, editable=False)
    secret = models.ForeignKey(Secret, on_delete=models.CASCADE, related_name="versions")
    number = models.PositiveIntegerField()
    sealed_value = models.TextField(editable=False)
    created_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, null=True, blank=True, on_delete=models.SET_NULL, related_name="+"
    )
    created_at = models.DateTimeField(auto_now_add=True)

    class Meta:
        constraints = (models.UniqueConstraint(fields=["secret", "number"], name="secret_version_once"),)

    def __str__(self) -> str:
        return f"version {self.number} of {self.secret_id}"

    @property
    def value(self) -> str:
        """The value in the clear. Raises `security.vault.crypto.Unreadable`."""
        return decrypt(self.sealed_value, context=self.context)

    @value.setter
    def value(self, text: str) -> None:
        self.sealed_value = encrypt(text, context=self.context)

    @property
    def context(self) -> str:
        """The place that the value is bound to."""
        return f"security.secret_version:{self.pk}"
