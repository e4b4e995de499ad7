"""Notification channels and the outbox (contract: fleet console §11)."""

import json
from typing import Any

from django.conf import settings
from django.db import models

from config.ids import cuid
from security.vault.crypto import decrypt, encrypt


class ChannelType(models.TextChoices):
    WEBHOOK = "WEBHOOK", "Webhook"
    SLACK = "SLACK", "Slack"
    EMAIL = "EMAIL", "E-mail"
    IN_APP = "IN_APP", "In the product"
    TEAMS = "TEAMS", "Microsoft Teams"
    PAGERDUTY = "PAGERDUTY", "PagerDuty"
    OPSGENIE = "OPSGENIE", "Opsgenie"
    TELEGRAM = "TELEGRAM", "Telegram"
    DISCORD = "DISCORD", "Discord"
    GOOGLE_CHAT = "GOOGLE_CHAT", "Google Chat"
    NTFY = "NTFY", "ntfy"


class Channel(models.Model):
    """A way to tell people. The configuration holds secrets, so it is stored encrypted.

    `monitor_alerts`: alerts of monitors, which have no rule to name channels, go to this one too. `notify_resolved`:
    it is also told when what it was told of is over.
    """

    id = models.CharField(primary_key=True, max_length=32, default=cuid, editable=False)
    name = models.CharField(max_length=128)
    type = models.CharField(max_length=12, choices=ChannelType)
    sealed_config = models.TextField(editable=False)
    enabled = models.BooleanField(default=True)
    monitor_alerts = models.BooleanField(default=True)
    notify_resolved = models.BooleanField(default=True)
    created_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, null=True, blank=True, on_delete=models.SET_NULL, related_name="+"
    )
    created_at = models.DateTimeField(auto_now_add=True)
    updated_at = models.DateTimeField(auto_now=True)

    def __str__(self) -> str:
        return self.name

    @property
    def config(self) -> dict[str, Any]:
        """The configuration in the clear."""
        return json.loads(decrypt(self.sealed_config, context=self.context))

    @config.setter
    def config(self, value: dict[str, Any]) -> None:
        self.sealed_config = encrypt(json.dumps(value), context=self.context)

    @property
    def context(self) -> str:
        """The place that the configuration is bound to."""
        return f"alerts.channel:{self.pk}"


class Kind(models.TextChoices):
    FIRED = "fired", "Fired"
    RESOLVED = "resolved", "Resolved"
    REMINDER = "reminder", "Reminder"
    ESCALATED = "escalated", "Escalated"


class State(models.TextChoices):
    PENDING = "PENDING", "Waiting"
    SENT = "SENT", "Sent"
    FAILED = "FAILED", "Failed"


class Notification(models.Model):
    """One message in the outbox, delivered at least once; it carries the notices of a group for one channel.

    `due_at` is when to try (again); a worker that takes it moves `due_at` on, so that a dead worker's message is
    taken by another. Messages of one `stream` (a group of alerts) leave in order; `turn` is which time the group
    speaks, so that no two workers write the same message. `alert` is the worst of those it tells of, `recipient` the
    one person it is for, if a policy names one.
    """

    alert = models.ForeignKey("alerts.Alert", on_delete=models.CASCADE, related_name="outbox")
    channel = models.ForeignKey(Channel, on_delete=models.CASCADE, related_name="outbox")
    kind = models.CharField(max_length=12, choices=Kind)
    stream = models.CharField(max_length=64)
    turn = models.CharField(max_length=64)
    recipient = models.ForeignKey(settings.AUTH_USER_MODEL, null=True, on_delete=models.CASCADE, related_name="+")
    state = models.CharField(max_length=8, choices=State, default=State.PENDING)
    due_at = models.DateTimeField()
    attempts = models.PositiveSmallIntegerField(default=0)
    created_at = models.DateTimeField()

    class Meta:
        constraints = (models.UniqueConstraint(fields=["stream", "channel", "turn"], name="notification_once"),)
        indexes = (
            models.Index(fields=["due_at"], condition=models.Q(state="PENDING"), name="notification_due"),
            models.Index(
                fields=["stream", "channel"], condition=models.Q(state="PENDING"), name="notification_in_order"
            ),
            models.Index(fields=["channel", "-created_at"], name="notification_of_channel"),
        )

    def __str__(self) -> str:
        return f"{self.kind} {self.alert_id} to {self.channel_id}"


class Attempt(models.Model):
    """One try to deliver, as it went."""

    id = models.CharField(primary_key=True, max_length=32, default=cuid, editable=False)
    notification = models.ForeignKey(Notification, on_delete=models.CASCADE, related_name="tries")
    sent_at = models.DateTimeField()
    success = models.BooleanField()
    error = models.CharField(max_length=500, null=True)
    duration_ms = models.PositiveIntegerField()

    class Meta:
        indexes = (models.Index(fields=["notification", "-sent_at"], name="attempt_newest"),)

    def __str__(self) -> str:
        return f"{'delivered' if self.success else 'failed'} {self.sent_at}"
