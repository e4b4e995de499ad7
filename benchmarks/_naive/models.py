"""One row a heartbeat or a line, with what a stored one has and the usual foreign key."""

from typing import Any

from django.contrib.postgres.indexes import GinIndex
from django.contrib.postgres.search import SearchVector
from django.db import models
from django.utils import timezone


def size() -> Any:
    return models.BigIntegerField(null=True)


def number() -> Any:
    return models.FloatField(null=True)


class NaiveSample(models.Model):
    instance = models.ForeignKey("fleet.Instance", on_delete=models.CASCADE, related_name="+")
    ts = models.DateTimeField(db_index=True)
    cpu_pct, mem_pct, disk_pct = number(), number(), number()
    load1, load5, load15 = number(), number(), number()
    mem_used, mem_total, mem_cached, swap_used, swap_total = size(), size(), size(), size(), size()
    disk_used, disk_total, net_rx, net_tx = size(), size(), size(), size()
    extra = models.JSONField(null=True)

    class Meta:
        constraints = (models.UniqueConstraint(fields=["instance", "ts"], name="naive_sample_once"),)

    def __str__(self) -> str:
        return f"{self.instance_id} {self.ts}"


class NaiveLog(models.Model):
    instance = models.ForeignKey("fleet.Instance", on_delete=models.CASCADE, related_name="+")
    level = models.CharField(max_length=8)
    source = models.CharField(max_length=16)
    message = models.TextField()
    metadata = models.JSONField(null=True)
    timestamp = models.DateTimeField(default=timezone.now, db_index=True)

    class Meta:
        # The words of a message are searched here too.
        indexes = (GinIndex(SearchVector("message", config="english"), name="naive_log_words"),)

    def __str__(self) -> str:
        return self.message
