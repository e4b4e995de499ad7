"""Which advisories speak of which components (contract: fleet console §22).

Each distinct component is judged once, however many instances have it. What is kept in memory is the hits: about
100 bytes for each pair of a component and an advisory that affects it.
"""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from datetime import date
from itertools import islice
from typing import Any, NamedTuple

from django.db.models import QuerySet

from security.bom.models import Component
from security.vulnerabilities.ecosystems import keys
from security.vulnerabilities.judging import Judge, Question
from security.vulnerabilities.models import Affected, Severity, Signal
from security.vulnerabilities.severity import RANKS

BATCH = 500  # components
ASKED_AT_ONCE = 2000  # questions
COLUMNS = (
    "ecosystem", "name", "ranges", "versions", "fix_version", "severity", "advisory_id", "advisory__cve_id",
    "advisory__severity", "advisory__cvss_score",
)  # fmt: skip


class Hit(NamedTuple):
    """An advisory that affects a component."""

    advisory_id: str
    severity: str
    fix_version: str | None


class Facts(NamedTuple):
    """What findings say of an advisory."""

    cve_id: str
    cvss_score: float | None
    kev_due_date: date | None


class Vulnerable(NamedTuple):
    """A component with what affects it."""

    ecosystem: str
    name: str
    version: str
    hits: list[Hit]


@dataclass(slots=True)
class Matches:
    """What affects the judged components, by the component's id."""

    judged: int = 0
    vulnerable: dict[int, Vulnerable] = field(default_factory=dict)
    advisories: dict[str, Facts] = field(default_factory=dict)


def match(components: QuerySet[Component], judge: Judge) -> Matches:
    """Judge these components."""
    found, due = Matches(), _known_exploited()
    ordered = components.order_by("ecosystem", "name", "version").iterator(chunk_size=BATCH)
    while batch := list(islice(ordered, BATCH)):
        found.judged += len(batch)
        for candidates in _in_chunks(_candidates(batch), ASKED_AT_ONCE):
            verdicts = judge([Question(version, one.ecosystem, row["ranges"]) for one, version, row in candidates])
            for (one, version, row), (held, fix) in zip(candidates, verdicts, strict=True):
                if held or version in row["versions"]:
                    _add(found, one, row, fix or row["fix_version"], due)
    return found


def _candidates(batch: list[Component]) -> Iterator[tuple[Component, str, dict[str, Any]]]:
    """Each component, its version as advisories count it, and what one advisory says of a package of that name."""
    wanted: dict[tuple[str, str], list[tuple[Component, str]]] = {}
    for component in batch:
        # Distributions publish advisories of source packages, with the versions of those.
        name, version = component.source_name or component.name, component.source_version or component.version
        for ecosystem in keys(component.ecosystem):
            wanted.setdefault((ecosystem, name), []).append((component, version))
    ecosystems, names = {ecosystem for ecosystem, _ in wanted}, {name for _, name in wanted}
    rows = Affected.objects.filter(ecosystem__in=ecosystems, name__in=names).values(*COLUMNS)
    for row in rows.order_by().iterator(chunk_size=BATCH):
        for component, version in wanted.get((row["ecosystem"], row["name"]), ()):
            yield component, version, row


def _add(found: Matches, component: Component, row: dict[str, Any], fix: str | None, due: dict[str, date]) -> None:
    own = component.ecosystem, component.name, component.version
    vulnerable = found.vulnerable.setdefault(component.pk, Vulnerable(*own, []))
    severity = row["severity"] or row["advisory__severity"]
    vulnerable.hits.append(Hit(row["advisory_id"], Severity(severity), fix))
    cve = row["advisory__cve_id"]
    found.advisories[row["advisory_id"]] = Facts(cve, row["advisory__cvss_score"], due.get(cve))


def _known_exploited() -> dict[str, date]:
    """CISA's dates by CVE; some thousand."""
    rows = Signal.objects.exclude(kev_due_date=None).values_list("cve_id", "kev_due_date")
    return {cve_id: day for cve_id, day in rows if day}


def _in_chunks(items: Iterable[Any], size: int) -> Iterator[list[Any]]:
    walk = iter(items)
    while chunk := list(islice(walk, size)):
        yield chunk


def worst(hits: Iterable[Hit]) -> Hit:
    """The hit that speaks for all of one vulnerability; the same whatever their order."""
    return min(hits, key=lambda hit: (RANKS[Severity(hit.severity)], hit.advisory_id))
