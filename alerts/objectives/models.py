"""Objectives: what share of checks or requests shall be good, and what was counted of them."""

from typing import Self

from django.conf import settings
from django.db import models
from django.db.models import F, Q

from config.ids import cuid


class Indicator(models.TextChoices):
    """What makes an event good."""

    AVAILABILITY = "availability", "Availability"
    LATENCY = "latency", "Latency"


class ObjectiveQuerySet(models.QuerySet["Objective"]):
    def by_name(self) -> Self:
        return self.order_by("name", "pk")


class Objective(models.Model):
    """`target` percent of the events of `window_days` shall be good.

    Of a monitor each counted run is an event; availability: it passed, latency: its p95 was within `latency_ms`. Of
    the load runs of a saved request each request is one (availability), or each run (latency). What ended before
    `counted_until` is in the tallies, the newest of it perhaps not yet.
    """

    id = models.CharField(primary_key=True, max_length=32, default=cuid, editable=False)
    name = models.CharField(max_length=128, unique=True)
    monitor = models.ForeignKey("monitors.Monitor", null=True, on_delete=models.CASCADE, related_name="objectives")
    request_id = models.CharField(max_length=128, null=True)
    indicator = models.CharField(max_length=12, choices=Indicator, default=Indicator.AVAILABILITY)
    latency_ms = models.PositiveIntegerField(null=True)
    target = models.FloatField()
    window_days = models.PositiveSmallIntegerField(default=30)
    enabled = models.BooleanField(default=True)
    channels = models.ManyToManyField("alerts.Channel", related_name="+")
    counted_until = models.DateTimeField(null=True)
    created_by = models.ForeignKey(settings.AUTH_USER_MODEL, null=True, on_delete=models.SET_NULL, related_name="+")
    created_at = models.DateTimeField(auto_now_add=True)
    updated_at = models.DateTimeField(auto_now=True)

    objects = ObjectiveQuerySet.as_manager()

    class Meta:
        constraints = (
            models.CheckConstraint(
                condition=Q(monitor=None, request_id__isnull=False) | Q(monitor__isnull=False, request_id=None),
                name="objective_one_subject",
            ),
            models.CheckConstraint(
                condition=Q(indicator="availability", latency_ms=None) | Q(indicator="latency", latency_ms__gt=0),
                name="objective_latency_has_limit",
            ),
            models.CheckConstraint(
                condition=Q(target__gte=50, target__lt=100, window_days__gte=1, window_days__lte=90),
                name="objective_in_range",
            ),
        )

    def __str__(self) -> str:
        return self.name

    @property
    def allowed(self) -> float:
        """The share of events that may be bad, 0 to 1."""
        return (100 - self.target) / 100

    @property
    def events(self) -> str:
        """What is counted, in words."""
        if self.monitor_id:
            return "checks"
        return "requests" if self.indicator == Indicator.AVAILABILITY else "runs"


class Tally(models.Model):
    """How many events ended within `span_s` from `at` on, and how many of them were good. No row: none ended."""

    objective = models.ForeignKey(Objective, on_delete=models.CASCADE, related_name="tallies", db_index=False)
    span_s = models.PositiveIntegerField()
    at = models.DateTimeField()
    good = models.PositiveBigIntegerField()
    total = models.PositiveBigIntegerField()

    class Meta:
        constraints = (
            models.UniqueConstraint(fields=["objective", "span_s", "at"], name="objective_tally_once"),
            models.CheckConstraint(condition=Q(good__lte=F("total"), total__gt=0), name="objective_tally_counts"),
        )
        indexes = (models.Index(fields=["span_s", "at"], name="objective_tally_age"),)

    def __str__(self) -> str:
        return f"{self.good} of {self.total} at {self.at}"
