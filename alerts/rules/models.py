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


class NoData(models.TextChoices):
    """What follows when nothing recent is known of an instance. The verdict is shown as missing in every case."""

    KEEP = "keep", "Leave everything as it is"
    ALERT = "alert", "Alert"
    IGNORE = "ignore", "End what is open"


class RuleQuerySet(models.QuerySet["Rule"]):
    def visible_to(self, principal: Principal | None) -> Self:
        """Rules for every instance, those of the caller's teams, and those of instances that the caller may see.

        What was made for a drill is in no list.
        """
        if principal is None:
            return self.none()
        self = self.filter(is_drill=False)
        everyone = models.Q(instance_id=None, team_id=None)
        if principal.instance_id:
            return self.filter(everyone | models.Q(instance_id=principal.instance_id))
        if principal.sees_all:
            return self
        teams = list(principal.teams)
        visible = models.Q(instance__isnull=False) & (
            models.Q(instance__team_id__in=teams) | models.Q(instance__team_id=None)
        )
        return self.filter(everyone | models.Q(team_id__in=teams) | visible)

    def newest_first(self) -> Self:
        return self.order_by("-created_at", "-pk")


class Rule(models.Model):
    """A condition over every instance, those of a team, or one. `conditions` has the shape that its type demands.

    `clear_threshold`: what is open ends only beyond it. `match_count` of the last `match_window` samples (looks, where
    there are no samples) must find the condition true. `keep_firing_s`: what is open stays so long after the
    condition ceased to be true. `is_drill`: made for a drill; nobody but that looks at it.
    """

    id = models.CharField(primary_key=True, max_length=32, default=cuid, editable=False)
    name = models.CharField(max_length=128)
    description = models.CharField(max_length=512, null=True, blank=True)
    type = models.CharField(max_length=12, choices=RuleType)
    severity = models.CharField(max_length=8, choices=Severity)
    enabled = models.BooleanField(default=True)
    instance = models.ForeignKey(
        "fleet.Instance", null=True, blank=True, on_delete=models.CASCADE, related_name="alert_rules"
    )
    team = models.ForeignKey("security.Team", null=True, blank=True, on_delete=models.CASCADE, related_name="+")
    conditions = models.JSONField()
    clear_threshold = models.FloatField(null=True, blank=True)
    match_count = models.PositiveSmallIntegerField(default=1)
    match_window = models.PositiveSmallIntegerField(default=1)
    keep_firing_s = models.PositiveIntegerField(default=0)
    no_data = models.CharField(max_length=8, choices=NoData, default=NoData.KEEP)
    labels = models.JSONField(default=dict, blank=True)
    cooldown_s = models.PositiveIntegerField(default=300)
    is_drill = models.BooleanField(default=False, db_default=False, editable=False)
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
            models.CheckConstraint(
                condition=models.Q(match_count__gte=1, match_window__lte=60)
                & models.Q(match_count__lte=models.F("match_window")),
                name="rule_matches_in_window",
            ),
            models.CheckConstraint(
                condition=models.Q(instance=None) | models.Q(team=None), name="rule_of_instance_or_team"
            ),
        )
        indexes = (models.Index(fields=["-created_at", "-id"], name="rule_newest"),)

    def __str__(self) -> str:
        return self.name

    @property
    def owner_team_id(self) -> str | None:
        """The team whose operators may change it: its own, or that of its one instance; None for all instances."""
        return self.team_id or (self.instance.team_id if self.instance else None)
