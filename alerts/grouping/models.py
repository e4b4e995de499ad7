"""Which alerts are told together, and when a group of them speaks."""

from django.db import models

from config.ids import cuid


class Grouping(models.Model):
    """A choice of alerts (`matchers`) that are told in groups, one for each combination of the values of `labels`.

    A group waits `wait_s` before its first message, at least `interval_s` between two, and tells again after
    `repeat_s` what is still open (0: never). The first grouping by `position` that matches an alert decides.
    """

    id = models.CharField(primary_key=True, max_length=32, default=cuid, editable=False)
    name = models.CharField(max_length=128, unique=True)
    position = models.PositiveSmallIntegerField(default=100)
    enabled = models.BooleanField(default=True)
    matchers = models.JSONField(default=list, blank=True)
    labels = models.JSONField(default=list, blank=True)
    wait_s = models.PositiveIntegerField(default=30)
    interval_s = models.PositiveIntegerField(default=300)
    repeat_s = models.PositiveIntegerField(default=14_400)
    created_at = models.DateTimeField(auto_now_add=True)
    updated_at = models.DateTimeField(auto_now=True)

    def __str__(self) -> str:
        return self.name


class AlertGroup(models.Model):
    """Alerts that are told together. `next_at`: when it speaks next; who takes that away speaks, as turn `turn`."""

    key = models.CharField(max_length=64, unique=True)
    grouping = models.ForeignKey(Grouping, null=True, on_delete=models.SET_NULL, related_name="groups")
    labels = models.JSONField(default=dict)
    turn = models.PositiveIntegerField(default=0)
    next_at = models.DateTimeField(null=True)
    spoke_at = models.DateTimeField(null=True)
    repeat_at = models.DateTimeField(null=True)

    class Meta:
        indexes = (
            models.Index(fields=["next_at"], condition=models.Q(next_at__isnull=False), name="group_due"),
            models.Index(fields=["repeat_at"], condition=models.Q(repeat_at__isnull=False), name="group_repeats"),
        )

    def __str__(self) -> str:
        return f"group {self.pk}"
