"""cve_detected: open vulnerabilities at or above a severity (contract: fleet console §10)."""

from collections import defaultdict
from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any

from django.db.models import Count

from alerts.evaluation.sources import Fact
from security.bom.models import Inventory
from security.vulnerabilities.figures import SIGNALS
from security.vulnerabilities.models import Archive, Finding, Status

LEVELS = ("CRITICAL", "HIGH", "MEDIUM")  # worst first
DEFAULT = "HIGH"


def facts(conditions: Sequence[Mapping[str, Any]], instance_ids: Sequence[str], now: datetime) -> list[dict[str, Fact]]:
    """How many are open by instance. Unknown is who never told what is installed, or all while there are no advisories.

    Who has findings is known in any case.
    """
    counts = _open_by_instance()
    known = _judged() | counts.keys()
    asked = [pk for pk in instance_ids if pk in known]
    levels = [given.get("severity_threshold") or DEFAULT for given in conditions]
    by_level = {level: {pk: fact(counts.get(pk, {}), level) for pk in asked} for level in set(levels)}
    return [by_level[level] for level in levels]


def fact(counts: Mapping[str, int], level: str) -> Fact:
    """`counts` are of one instance by severity; those below `level` do not matter."""
    found = {name: counts.get(name, 0) for name in LEVELS[: LEVELS.index(level) + 1]}
    total = sum(found.values())
    named = " and ".join(f"{count} {name.lower()}" for name, count in found.items() if count) or "no"
    noun = "vulnerability is" if total == 1 else "vulnerabilities are"
    return Fact(total > 0, float(total), f"{named} {noun} open", {"bySeverity": found})


def _open_by_instance() -> dict[str, dict[str, int]]:
    rows = Finding.objects.filter(status=Status.OPEN, severity__in=LEVELS).order_by()
    found: dict[str, dict[str, int]] = defaultdict(dict)
    for instance_id, severity, count in rows.values_list("instance_id", "severity").annotate(Count("pk")):
        found[instance_id][severity] = count
    return found


def _judged() -> set[str]:
    """The instances whose packages were held against advisories."""
    if not Archive.objects.exclude(name__in=SIGNALS).exists():
        return set()
    return set(Inventory.objects.order_by().values_list("instance_id", flat=True).distinct())
