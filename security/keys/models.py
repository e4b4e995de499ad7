"""API keys. Only the digest is stored: keys carry 192 random bits, so no salt and no slow hash is needed."""

from datetime import datetime

from django.conf import settings
from django.db import models

from config.ids import cuid
from security.accounts.models import Role


class ApiKeyQuerySet(models.QuerySet["ApiKey"]):
    def usable(self, now: datetime) -> "ApiKeyQuerySet":
        """Keys that open doors: not revoked, not expired, of an active user."""
        alive = models.Q(expires_at=None) | models.Q(expires_at__gt=now)
        return self.filter(alive, revoked_at=None, user__is_active=True)


class ApiKey(models.Model):
    """A key of a user. `role` caps the user's role; `instance_id` binds the key to the agent of one instance.

    `scopes` narrow it to some APIs ("fleet:read"); an empty list is every API that the role opens.
    """

    id = models.CharField(primary_key=True, max_length=32, default=cuid, editable=False)
    user = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.CASCADE, related_name="api_keys")
    name = models.CharField(max_length=100)
    key_prefix = models.CharField(max_length=10)
    digest = models.CharField(max_length=64, unique=True, editable=False)
    role = models.CharField(max_length=10, choices=Role, blank=True)
    instance_id = models.CharField(max_length=128, null=True, blank=True, db_index=True)
    scopes = models.JSONField(default=list, db_default=models.Value([], models.JSONField()), blank=True)
    expires_at = models.DateTimeField(null=True, blank=True)
    revoked_at = models.DateTimeField(null=True, blank=True)
    last_used_at = models.DateTimeField(null=True, blank=True)
    created_at = models.DateTimeField(auto_now_add=True)
    replaces = models.OneToOneField("self", null=True, blank=True, on_delete=models.SET_NULL, related_name="successor")

    objects = ApiKeyQuerySet.as_manager()

    class Meta:
        constraints = (
            models.CheckConstraint(condition=models.Q(role__in=["", *Role.values]), name="api_key_role_known"),
        )

    def __str__(self) -> str:
        return f"{self.name} ({self.key_prefix}…)"


class Refusal(models.Model):
    """How often within one minute somebody was refused who spoke as an instance's agent, or wanted its terminal."""

    class Kind(models.TextChoices):
        AGENT = "agent", "Agent"
        TERMINAL = "terminal", "Terminal"

    instance_id = models.CharField(max_length=32)
    kind = models.CharField(max_length=8, choices=Kind)
    minute_at = models.DateTimeField()
    count = models.PositiveIntegerField(default=1)

    class Meta:
        constraints = (models.UniqueConstraint(fields=["instance_id", "kind", "minute_at"], name="refusal_minute"),)
        indexes = (models.Index(fields=["minute_at"], name="refusal_age"),)

    def __str__(self) -> str:
        return f"{self.count} x {self.kind} of {self.instance_id}"
