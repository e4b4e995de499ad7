"""Advice to take a smaller size (contract: fleet console §17)."""

from typing import Self

from django.db import models
from django.db.models import F, Q

from config.api.authentication import Principal
from config.ids import cuid
from fleet.instances.models import Instance


class RecommendationQuerySet(models.QuerySet["Recommendation"]):
    def visible_to(self, principal: Principal | None) -> Self:
        """Advice about instances that the caller may see."""
        return self.filter(instance__in=Instance.objects.visible_to(principal))

    def open(self) -> Self:
        """What nobody has dismissed."""
        return self.filter(dismissed=False)

    def largest_first(self) -> Self:
        return self.order_by("-savings_micros", "pk")


class Recommendation(models.Model):
    """The newest finding about an instance. One that was dismissed stays so while the pair of tiers is the same.

    Amounts are micro-dollars a month (`costs.money`), shares means of 30 days in percent; `needed_gb` is the memory
    that the smaller size must have, and `samples` what the figures rest on.
    """

    id = models.CharField(primary_key=True, max_length=32, default=cuid, editable=False)
    instance = models.OneToOneField("fleet.Instance", on_delete=models.CASCADE, related_name="recommendation")
    current_tier = models.CharField(max_length=128)
    suggested_tier = models.CharField(max_length=128)
    current_micros = models.BigIntegerField()
    suggested_micros = models.BigIntegerField()
    savings_micros = models.BigIntegerField()
    avg_cpu_percent = models.FloatField()
    avg_mem_percent = models.FloatField()
    needed_gb = models.FloatField()
    samples = models.PositiveBigIntegerField()
    confidence = models.FloatField()
    generated_at = models.DateTimeField()
    dismissed = models.BooleanField(default=False)
    dismissed_by = models.CharField(max_length=254, blank=True)

    objects = RecommendationQuerySet.as_manager()

    class Meta:
        constraints = (
            models.CheckConstraint(
                condition=Q(savings_micros__gt=0, savings_micros=F("current_micros") - F("suggested_micros")),
                name="recommendation_saves",
            ),
            models.CheckConstraint(
                condition=Q(confidence__gte=0, confidence__lte=1), name="recommendation_confidence_in_range"
            ),
        )
        indexes = (models.Index(fields=["-savings_micros", "id"], name="recommendation_largest"),)

    def __str__(self) -> str:
        return f"{self.instance_id}: {self.current_tier} to {self.suggested_tier}"


class Analysis(models.Model):
    """The last pass over the fleet; one row, which also says when the next one is due."""

    started_at = models.DateTimeField()
    analyzed = models.PositiveIntegerField(default=0)
    generated = models.PositiveIntegerField(default=0)
    skipped = models.PositiveIntegerField(default=0)

    def __str__(self) -> str:
        return f"pass of {self.started_at}"
