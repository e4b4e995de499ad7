"""What collectors tell beside samples and logs: any number of series with points."""

from django.db import models

from config.timeseries import Table
from fleet.instances.models import Instance


class Kind(models.TextChoices):
    """How the values of a series are to be read."""

    GAUGE = "gauge", "Gauge"  # a value at a moment
    COUNTER = "counter", "Counter"  # a sum since some start; only its growth tells anything
    DELTA = "delta", "Delta"  # what came since the point before


POINTS = Table(
    "metric_point",
    {"series_id": "bigint", "ts": "time", "value": "double"},
    key=("series_id", "ts"),
    required=("value",),
)


class Series(models.Model):
    """One curve of one instance: a name with labels. `digest` tells name and labels in 32 digits.

    `last_at` is when a point came, told at most once an hour. `of_host` marks figures of the machine itself, from
    which its samples are made.
    """

    id = models.BigAutoField(primary_key=True)
    instance = models.ForeignKey(Instance, on_delete=models.CASCADE, related_name="series")
    digest = models.CharField(max_length=32)
    name = models.CharField(max_length=255)
    unit = models.CharField(max_length=63, blank=True, default="")
    kind = models.CharField(max_length=7, choices=Kind)
    labels = models.JSONField(default=dict)
    of_host = models.BooleanField(default=False)
    first_at = models.DateTimeField()
    last_at = models.DateTimeField(db_index=True)

    class Meta:
        constraints = (models.UniqueConstraint(fields=["instance", "digest"], name="series_once"),)
        indexes = (
            models.Index(fields=["instance", "name", "id"], name="series_by_name"),
            models.Index(fields=["instance"], condition=models.Q(of_host=True), name="series_of_host"),
        )

    def __str__(self) -> str:
        return self.name


class StoredPoint(models.Model):
    """The key of a point; values are read through `config.timeseries` (columns of POINTS)."""

    pk = models.CompositePrimaryKey("series_id", "ts")
    series_id = models.BigIntegerField()
    ts = models.DateTimeField()
    value = models.FloatField()

    class Meta:
        managed = False
        db_table = POINTS.name

    def __str__(self) -> str:
        return f"{self.series_id} {self.ts}"


class HostFeed(models.Model):
    """An instance whose figures come from a collector: whether points wait to become samples, and up to when they did.

    `arrived_at` is when the first of the waiting points came, `derived_at` the moment of the last sample made.
    """

    instance = models.OneToOneField(Instance, primary_key=True, on_delete=models.CASCADE, related_name="host_feed")
    pending = models.BooleanField(default=True)
    arrived_at = models.DateTimeField()
    derived_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        indexes = (models.Index(fields=["arrived_at"], condition=models.Q(pending=True), name="host_feed_pending"),)

    def __str__(self) -> str:
        return f"{self.instance_id} {self.derived_at}"
