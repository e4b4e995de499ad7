"""What the bills of material of an instance say of its vulnerabilities (VEX), as decisions about findings."""

from collections.abc import Collection, Iterable
from datetime import datetime
from typing import NamedTuple

from security.bom.models import VexStatement
from security.vulnerabilities.ecosystems import key
from security.vulnerabilities.models import Advisory, Status

DECIDED = {
    "not_affected": Status.FALSE_POSITIVE,
    "false_positive": Status.FALSE_POSITIVE,
    "resolved": Status.FIXED,
    "resolved_with_pedigree": Status.FIXED,
}


class Said(NamedTuple):
    """What a statement makes of a finding."""

    status: Status
    reason: str
    at: datetime


class Statements:
    """The statements of one instance that decide something."""

    def __init__(self, rows: Iterable[VexStatement]) -> None:
        self._rows = [row for row in rows if row.state in DECIDED]
        self._names: dict[str, set[str]] = {}

    def learn(self, advisories: Collection[str]) -> None:
        """Statements may name these advisories by their aliases. Asks nothing when there are no statements."""
        if self._rows:
            for pk, aliases in Advisory.objects.filter(pk__in=advisories).values_list("pk", "aliases"):
                self._names[pk] = {pk, *aliases}

    def about(self, *, cve_id: str, advisory_id: str, package: str, ecosystem: str) -> Said | None:
        """The newest statement about a finding."""
        names = self._names.get(advisory_id, set()) | {cve_id, advisory_id}
        found: VexStatement | None = None
        for row in self._rows:
            mine = row.vulnerability in names and row.package in ("", package)
            if not mine or (row.ecosystem and key(row.ecosystem) != key(ecosystem)):
                continue
            if found is None or row.imported_at > found.imported_at:
                found = row
        return Said(DECIDED[found.state], _reason(found), found.imported_at) if found else None


def of(instance_id: str) -> Statements:
    """What the instance's bills of material say. One query."""
    return Statements(VexStatement.objects.filter(instance_id=instance_id))


def _reason(row: VexStatement) -> str:
    why = row.justification or row.state
    return f"VEX statement: {why.replace('_', ' ')}{f'. {row.detail}' if row.detail else ''}"[:2000]
