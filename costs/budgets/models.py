"""Budgets: how much may be spent in a day, a week or a month (contract: fleet console §16)."""

from typing import Self

from django.conf import settings
from django.db import models
from django.db.models import Q

from config.api.authentication import Principal
from config.ids import cuid
from fleet.instances.models import Provider


class Period(models.TextChoices):
    DAILY = "DAILY", "a day"
    WEEKLY = "WEEKLY", "a week"
    MONTHLY = "MONTHLY", "a month"


class BudgetQuerySet(models.QuerySet["Budget"]):
    def visible_to(self, principal: Principal | None) -> Self:
        """Budgets of instances that the caller may see, and those of no instance.

        A key that is bound to an instance sees that one's only.
        """
        if principal is None:
            return self.none()
        if principal.instance_id:
            return self.filter(instance_id=principal.instance_id)
        if principal.sees_all:
            return self
        own = Q(instance__team_id__in=list(principal.teams)) | Q(instance__team_id=None)
        return self.filter(Q(instance_id=None) | own)

    def newest_first(self) -> Self:
        return self.order_by("-created_at", "-pk")


class Budget(models.Model):
    """A limit of one instance, of one provider, or of the whole fleet, in micro-dollars (`costs.money`).

    `alerted_for` is the start of the period in which people were told that the threshold was crossed: a new period
    is another day, so nothing has to be reset. It is emptied when the budget asks something else.
    """

    id = models.CharField(primary_key=True, max_length=32, default=cuid, editable=False)
    name = models.CharField(max_length=128)
    amount_micros = models.BigIntegerField()
    period = models.CharField(max_length=8, choices=Period)
    instance = models.ForeignKey(
        "fleet.Instance", null=True, blank=True, on_delete=models.CASCADE, related_name="budgets"
    )
    provider = models.CharField(max_length=16, choices=Provider, null=True, blank=True)
    alert_threshold = models.FloatField(default=0.8)
    alerted_for = models.DateField(null=True, editable=False)
    alerted_at = models.DateTimeField(null=True, editable=False)
    created_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, null=True, blank=True, on_delete=models.SET_NULL, related_name="+"
    )
    created_at = models.DateTimeField(auto_now_add=True)
    updated_at = models.DateTimeField(auto_now=True)

    objects = BudgetQuerySet.as_manager()

    class Meta:
        constraints = (
            models.CheckConstraint(condition=Q(amount_micros__gt=0), name="budget_amount_positive"),
            models.CheckConstraint(condition=Q(period__in=Period.values), name="budget_period_known"),
            models.CheckConstraint(
                condition=Q(alert_threshold__gte=0.01, alert_threshold__lte=1), name="budget_threshold_in_range"
            ),
            models.CheckConstraint(
                condition=Q(alerted_for=None, alerted_at=None) | Q(alerted_for__isnull=False, alerted_at__isnull=False),
                name="budget_alert_has_time",
            ),
        )
        indexes = (models.Index(fields=["-created_at", "-id"], name="budget_newest"),)

    def __str__(self) -> str:
        return self.name

    @property
    def team_id(self) -> str | None:
        """The team whose instance it is about; None for what belongs to everyone."""
        return self.instance.team_id if self.instance else None

    @property
    def subject(self) -> str:
        """What is counted, in words."""
        about = self.instance.name if self.instance else "the whole fleet"
        provider = Provider(self.provider).label if self.provider else ""
        if self.instance:
            return f"{about} at {provider}" if provider else about
        return f"everything at {provider}" if provider else about
