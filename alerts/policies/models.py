"""Escalation policies: who is told next while nobody takes an alert on, and who is on call."""

from django.conf import settings
from django.db import models

from config.ids import cuid


class Rotation(models.Model):
    """An order of people of whom one is on call. A turn lasts `turn_days`; the first began on `starts_on` at
    `hands_over_at` of the wall clock in `time_zone`. `members` are ids of users in their order."""

    id = models.CharField(primary_key=True, max_length=32, default=cuid, editable=False)
    name = models.CharField(max_length=128, unique=True)
    time_zone = models.CharField(max_length=64, default="UTC")
    starts_on = models.DateField()
    hands_over_at = models.TimeField()
    turn_days = models.PositiveSmallIntegerField(default=7)
    members = models.JSONField(default=list)
    created_at = models.DateTimeField(auto_now_add=True)
    updated_at = models.DateTimeField(auto_now=True)

    class Meta:
        constraints = (
            models.CheckConstraint(
                condition=models.Q(turn_days__gte=1, turn_days__lte=366), name="rotation_turn_in_range"
            ),
        )

    def __str__(self) -> str:
        return self.name


class Policy(models.Model):
    """Steps for the alerts that match; the first policy by `position` that matches an alert is its own.

    After its last step it begins anew, `repeats` times.
    """

    id = models.CharField(primary_key=True, max_length=32, default=cuid, editable=False)
    name = models.CharField(max_length=128, unique=True)
    position = models.PositiveSmallIntegerField(default=100)
    enabled = models.BooleanField(default=True)
    matchers = models.JSONField(default=list, blank=True)
    repeats = models.PositiveSmallIntegerField(default=0)
    created_by = models.ForeignKey(settings.AUTH_USER_MODEL, null=True, on_delete=models.SET_NULL, related_name="+")
    created_at = models.DateTimeField(auto_now_add=True)
    updated_at = models.DateTimeField(auto_now=True)

    def __str__(self) -> str:
        return self.name


class PolicyStep(models.Model):
    """`after_s` after the step before, tell through these channels; with a rotation, who is on call then."""

    policy = models.ForeignKey(Policy, on_delete=models.CASCADE, related_name="steps")
    number = models.PositiveSmallIntegerField()
    after_s = models.PositiveIntegerField()
    channels = models.ManyToManyField("alerts.Channel", related_name="+")
    rotation = models.ForeignKey(Rotation, null=True, blank=True, on_delete=models.PROTECT, related_name="steps")

    class Meta:
        constraints = (models.UniqueConstraint(fields=["policy", "number"], name="policy_step_once"),)

    def __str__(self) -> str:
        return f"step {self.number} of {self.policy_id}"
