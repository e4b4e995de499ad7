"""Alert rules (contract: fleet console §10)."""

from typing import Self

from django.conf import settings
from django.db import models

from alerts.incidents.models import Severity
from config.api.authentication import Principal
from config.ids import cuid


class RuleType(models.TextChoices):
    THRESHOLD = "THRESHOLD", "Threshold"
    ANOMALY = "ANOMALY", "Anomaly"
    LIFECYCLE = "LIFECYCLE", "Lifecycle"
    SECURITY = "SECURITY", "Security"
    COST = "COST", "Cost"


# Rule types that are evaluated; a rule of another type is refused rather than kept without effect.
EVALUATED = (RuleType.THRESHOLD, RuleType.LIFECYCLE)


class RuleQuerySet(models.QuerySet["Rule"]):
    def visible_to(self, principal: Principal | None) -> Self:
        """Rules for every instance, and those of instances that the caller may see."""
        if principal is None:
            return self.none()
        if principal.instance_id:
            return self.filter(models.Q(instance_id=None) | models.Q(instance_id=principal.instance_id))
        if principal.sees_all:
            return self
        own = models.Q(instance__team_id__in=list(principal.teams)) | models.Q(instance__team_id=None)
        return self.filter(models.Q(instance_id=None) | own)

    def newest_first(self) -> Self:
        return self.order_by("-created_at", "-pk")


class Rule(models.Model):
    """A condition over every instance, or over one. `conditions` has the shape that its type demands."""

    id = models.CharField(primary_key=True, max_length=32, default=cuid, editable=False)
    name = models.CharField(max_length=128)
    description = models.CharField(max_length=512, null=True, blank=True)
    type = models.CharField(max_length=12, choices=RuleType)
    severity = models.CharField(max_length=8, choices=Severity)
    enabled = models.BooleanField(default=True)
    instance = models.ForeignKey(
        "fleet.Instance", null=True, blank=True, on_delete=models.CASCADE, related_name="alert_rules"
    )
    conditions = models.JSONField()
    cooldown_s = models.PositiveIntegerField(default=300)
    channels = models.ManyToManyField("alerts.Channel", blank=True, related_name="rules")
    created_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, null=True, blank=True, on_delete=models.SET_NULL, related_name="+"
    )
    created_at = models.DateTimeField(auto_now_add=True)
    updated_at = models.DateTimeField(auto_now=True)

    objects = RuleQuerySet.as_manager()

    class Meta:
        constraints = (
            models.CheckConstraint(condition=models.Q(type__in=RuleType.values), name="rule_type_known"),
            models.CheckConstraint(condition=models.Q(cooldown_s__lte=86_400), name="rule_cooldown_in_range"),
        )
        indexes = (models.Index(fields=["-created_at", "-id"], name="rule_newest"),)

    def __str__(self) -> str:
        return self.name

    @property
    def team_id(self) -> str | None:
        """The team of the one instance it is about; None when it is about all."""
        return self.instance.team_id if self.instance else None
