"""The ledger: what each instance cost on each UTC day (contract: fleet console §15).

Amounts are micro-dollars (`costs.money`). Entries are the truth; `DayTotal` is made of them in the same transaction.
"""

import hashlib
from collections.abc import Mapping
from datetime import UTC, date, datetime
from typing import Any, Self

import msgspec
from django.db import models

from config.api.authentication import Principal

PARTS = ("compute", "storage", "network", "llm")


class Source(models.TextChoices):
    ESTIMATED = "estimated", "Estimated"  # from price tables
    ACTUAL = "actual", "Actual"  # from a bill, where there was no estimate
    RECONCILED = "reconciled", "Reconciled"  # from a bill, in the place of an estimate that is kept beside it


class Subject(models.Model):
    """What an instance was while it cost something. Another name, place, team or label makes another subject.

    No foreign keys: the ledger outlives instances and teams.
    """

    digest = models.CharField(max_length=32, unique=True)
    instance_id = models.CharField(max_length=32, db_index=True)
    instance_name = models.CharField(max_length=256)
    provider = models.CharField(max_length=16)
    region = models.CharField(max_length=64, null=True)
    team_id = models.CharField(max_length=32, null=True)
    team_name = models.CharField(max_length=128, null=True)
    labels = models.JSONField(default=dict)

    def __str__(self) -> str:
        return self.instance_name

    @staticmethod
    def digest_of(facts: dict[str, Any]) -> str:
        """The same for the same facts (all fields but `id` and `digest`)."""
        return hashlib.blake2b(msgspec.json.encode(facts, order="deterministic"), digest_size=16).hexdigest()

    @staticmethod
    def keys_of(wanted: Mapping[str, dict[str, Any]]) -> dict[str, int]:
        """The primary keys by digest, of these facts by digest; subjects that are new are made."""
        found = dict(Subject.objects.filter(digest__in=wanted).values_list("digest", "pk"))
        if missing := [digest for digest in wanted if digest not in found]:
            new = [Subject(digest=one, **wanted[one]) for one in missing]
            Subject.objects.bulk_create(new, ignore_conflicts=True)
            found |= dict(Subject.objects.filter(digest__in=missing).values_list("digest", "pk"))
        return found


def visible(principal: Principal | None, prefix: str = "") -> models.Q:
    """Whose costs the caller sees: by the team that the instance was in on the day."""
    if principal is None:
        return models.Q(pk__in=[])
    if principal.instance_id:
        return models.Q(**{f"{prefix}instance_id": principal.instance_id})
    if principal.sees_all:
        return models.Q()
    return models.Q(**{f"{prefix}team_id": None}) | models.Q(**{f"{prefix}team_id__in": list(principal.teams)})


class EntryQuerySet(models.QuerySet["CostEntry"]):
    def visible_to(self, principal: Principal | None) -> Self:
        return self.filter(visible(principal, "subject__"))

    def newest_first(self) -> Self:
        return self.order_by("-day", "-pk")


class Amounts(models.Model):
    """The parts of an amount, and their sum."""

    compute_micros = models.BigIntegerField(default=0)
    storage_micros = models.BigIntegerField(default=0)
    network_micros = models.BigIntegerField(default=0)
    llm_micros = models.BigIntegerField(default=0)
    total_micros = models.BigIntegerField(default=0)

    class Meta:
        abstract = True


SUM_HOLDS = models.Q(
    total_micros=models.F("compute_micros")
    + models.F("storage_micros")
    + models.F("network_micros")
    + models.F("llm_micros")
)


class CostEntry(Amounts):
    """What one instance cost on one UTC day, counted until `counted_until`.

    A day is complete when `counted_until` is the next midnight or the instance has gone. `status` is the instance's at
    that moment. `basis` tells what the amounts are made of: `spans` of equal price with their seconds, size and price
    list; disk and traffic; for a bill its file and lines. `estimated_micros` is the total by price tables, null when
    there never was one.
    """

    instance_id = models.CharField(max_length=32)
    subject = models.ForeignKey(Subject, on_delete=models.PROTECT, related_name="entries", db_index=False)
    day = models.DateField()
    counted_until = models.DateTimeField()
    status = models.CharField(max_length=12)
    source = models.CharField(max_length=10, choices=Source, default=Source.ESTIMATED)
    estimated_micros = models.BigIntegerField(null=True)
    basis = models.JSONField(default=dict)

    objects = EntryQuerySet.as_manager()

    class Meta:
        constraints = (
            models.UniqueConstraint(fields=["instance_id", "day"], name="cost_entry_once_a_day"),
            models.CheckConstraint(condition=SUM_HOLDS, name="cost_entry_sum_of_parts"),
            models.CheckConstraint(condition=models.Q(source__in=Source.values), name="cost_entry_source_known"),
        )
        indexes = (
            models.Index(fields=["subject", "day"], name="cost_entry_of_subject"),
            models.Index(fields=["day", "subject", "total_micros"], name="cost_entry_day"),
        )

    def __str__(self) -> str:
        return f"{self.instance_id} {self.day}"

    @property
    def period_start(self) -> datetime:
        """Midnight UTC of the day; reports choose entries by it."""
        return midnight(self.day)


class DayTotal(Amounts):
    """The sums of a day by provider, region and team, so that a trend of months reads few rows."""

    day = models.DateField()
    provider = models.CharField(max_length=16)
    region = models.CharField(max_length=64, null=True)
    team_id = models.CharField(max_length=32, null=True)
    team_name = models.CharField(max_length=128, null=True)
    entries = models.PositiveIntegerField()

    class Meta:
        constraints = (models.CheckConstraint(condition=SUM_HOLDS, name="day_total_sum_of_parts"),)
        indexes = (models.Index(fields=["day", "provider"], name="day_total_day"),)

    def __str__(self) -> str:
        return f"{self.day} {self.provider}"


class ClosedWeek(models.Model):
    """A week, by its Monday, whose sums by subject are there and right. A change of one of its days opens it again."""

    week = models.DateField(primary_key=True)

    def __str__(self) -> str:
        return str(self.week)


class WeekTotal(Amounts):
    """What a subject cost in a closed week, so that a report of months reads a seventh of the rows."""

    subject = models.ForeignKey(Subject, on_delete=models.CASCADE, related_name="+", db_index=False)
    week = models.DateField()

    class Meta:
        constraints = (
            models.UniqueConstraint(fields=["week", "subject"], name="week_total_once"),
            models.CheckConstraint(condition=SUM_HOLDS, name="week_total_sum_of_parts"),
        )

    def __str__(self) -> str:
        return f"{self.week} {self.subject_id}"


class LedgerRun(models.Model):
    """When the ledger was last brought up to date; one row, whose change decides whose turn it is.

    Until `finished_at` every instance was counted.
    """

    started_at = models.DateTimeField()
    finished_at = models.DateTimeField(null=True)

    def __str__(self) -> str:
        return f"run of {self.started_at}"


def midnight(day: date) -> datetime:
    """The first moment of a UTC day."""
    return datetime(day.year, day.month, day.day, tzinfo=UTC)
