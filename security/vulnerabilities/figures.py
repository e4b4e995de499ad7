"""Counts of open findings by severity and age."""

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from django.db.models import Count, Q

from security.vulnerabilities.models import Archive, FindingQuerySet, Severity, Status

# The upper bounds of the groups of age in days, each with its words; None: no bound.
AGES: tuple[tuple[int | None, str], ...] = (
    (7, "up to 7 days"), (30, "8 to 30 days"), (90, "31 to 90 days"), (None, "more than 90 days"),
)  # fmt: skip
SIGNALS = ("epss", "kev")
OLD_AFTER = timedelta(days=7)  # an archive that was not imported for longer is called old


@dataclass(frozen=True)
class Row:
    """Open findings of a severity: by age in the order of AGES, in all, and how many are overdue."""

    severity: Severity
    by_age: tuple[int, ...]
    overdue: int

    @property
    def total(self) -> int:
        return sum(self.by_age)


def by_severity_and_age(findings: FindingQuerySet, now: datetime) -> list[Row]:
    """A row for each severity, worst first. One query."""
    counts = {f"age{place}": Count("pk", filter=_aged(place, now)) for place in range(len(AGES))}
    counts["late"] = Count("pk", filter=Q(due_at__lt=now))
    open_ones = findings.filter(status=Status.OPEN).order_by().values("severity").annotate(**counts)
    found: dict[str, Any] = {row["severity"]: row for row in open_ones}
    return [_row(severity, found.get(severity, {})) for severity in Severity]


def _aged(place: int, now: datetime) -> Q:
    older, younger = AGES[place][0], AGES[place - 1][0] if place else None
    found = Q()
    if older is not None:
        found &= Q(detected_at__gt=now - timedelta(days=older))
    if younger is not None:
        found &= Q(detected_at__lte=now - timedelta(days=younger))
    return found


def _row(severity: Severity, counts: dict[str, int]) -> Row:
    return Row(severity, tuple(counts.get(f"age{place}", 0) for place in range(len(AGES))), counts.get("late", 0))


@dataclass(frozen=True)
class Archives:
    """What the findings rest on: archives of advisories, and the lists of what is exploited."""

    advisories: list[Archive]
    signals: list[Archive]
    now: datetime

    @property
    def entries(self) -> int:
        return sum(archive.entries for archive in self.advisories)

    @property
    def oldest_at(self) -> datetime | None:
        """When the one was imported that was not for the longest time."""
        return min((archive.imported_at for archive in self.advisories), default=None)

    @property
    def old(self) -> bool:
        return self.oldest_at is not None and self.oldest_at < self.now - OLD_AFTER


def archives(now: datetime) -> Archives:
    """All that were imported, by name."""
    rows = list(Archive.objects.order_by("name"))
    return Archives(
        [row for row in rows if row.name not in SIGNALS], [row for row in rows if row.name in SIGNALS], now
    )  # fmt: skip
