"""Drills: a rule's own condition made true on purpose, and how long it took until somebody was told."""

from django.db import models
from django.db.models import Q

from config.ids import cuid


class State(models.TextChoices):
    RUNNING = "running", "Running"
    PASSED = "passed", "Passed"
    FAILED = "failed", "Failed"


class Drill(models.Model):
    """One proof that a rule reaches its recipients, with its four moments.

    `copy` is a rule like `rule` that looks only at the instance made for the drill, `instance_id`; both go when the
    drill is over and its messages are out (`tidied_at`).
    """

    id = models.CharField(primary_key=True, max_length=32, default=cuid, editable=False)
    rule = models.ForeignKey("alerts.Rule", on_delete=models.CASCADE, related_name="drills")
    copy = models.OneToOneField("alerts.Rule", null=True, on_delete=models.SET_NULL, related_name="drill")
    instance_id = models.CharField(max_length=32)
    state = models.CharField(max_length=8, choices=State, default=State.RUNNING)
    asked_by = models.CharField(max_length=254)
    recipients = models.JSONField(default=list)
    title = models.CharField(max_length=300, blank=True)
    fault = models.CharField(max_length=500, blank=True)
    started_at = models.DateTimeField()
    deadline_at = models.DateTimeField()
    accepted_at = models.DateTimeField(null=True)
    fired_at = models.DateTimeField(null=True)
    sent_at = models.DateTimeField(null=True)
    delivered_at = models.DateTimeField(null=True)
    ended_at = models.DateTimeField(null=True)
    tidied_at = models.DateTimeField(null=True)

    class Meta:
        constraints = (
            models.CheckConstraint(
                condition=Q(state="running", ended_at=None) | (~Q(state="running") & Q(ended_at__isnull=False)),
                name="drill_ended_when_over",
            ),
            models.UniqueConstraint(fields=["rule"], condition=Q(state="running"), name="drill_one_at_a_time"),
        )
        indexes = (
            models.Index(fields=["rule", "-started_at"], name="drill_of_rule"),
            models.Index(fields=["started_at"], condition=Q(tidied_at=None), name="drill_to_follow"),
        )

    def __str__(self) -> str:
        return f"drill {self.pk}"

    @property
    def moments(self) -> list[tuple[str, object, float | None]]:
        """The four moments in words, when, and seconds since the start."""
        words = ("Sample accepted", "Rule fired", "Notification sent", "Delivery confirmed")
        times = (self.accepted_at, self.fired_at, self.sent_at, self.delivered_at)
        return [
            (word, at, (at - self.started_at).total_seconds() if at else None)
            for word, at in zip(words, times, strict=True)
        ]
