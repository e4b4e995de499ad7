"""Findings of one instance after a match: what is new, what is seen again, what is gone (contract: §22)."""

from dataclasses import dataclass, fields
from datetime import datetime
from typing import Any, NamedTuple

from django.db import transaction

from security.bom.models import Installed
from security.vulnerabilities import statements
from security.vulnerabilities.deadlines import due_at
from security.vulnerabilities.matching import Facts, Hit, Matches
from security.vulnerabilities.models import Advisory, Decision, Finding, Severity, Status
from security.vulnerabilities.severity import RANKS
from security.vulnerabilities.statements import Statements
from security.vulnerabilities.triage import CHANGED, move

AUTHOR = "Pharos"
SEEN = ["advisory_id", "package_version", "severity", "rank", "cvss_score", "fix_version", "due_at"]
BATCH = 500
Key = tuple[str, str, str]  # CVE, package, ecosystem


@dataclass(slots=True)
class Counts:
    """What a match did to the findings of one instance, or of many."""

    packages: int = 0
    detected: int = 0
    new: int = 0
    reopened: int = 0
    fixed: int = 0

    def add(self, other: "Counts") -> None:
        for one in fields(self):
            setattr(self, one.name, getattr(self, one.name) + getattr(other, one.name))


class Seen(NamedTuple):
    """A vulnerable package of the instance."""

    version: str
    hit: Hit
    facts: Facts

    @property
    def order(self) -> tuple:
        """Of several versions and advisories the least one speaks: the worst, and always the same."""
        return (RANKS[Severity(self.hit.severity)], self.hit.advisory_id, self.version, self.hit.fix_version or "")

    def told(self, since: datetime) -> dict[str, Any]:
        """What a finding that stands open since then says of it."""
        return {
            "advisory_id": self.hit.advisory_id,
            "package_version": self.version,
            "severity": self.hit.severity,
            "rank": RANKS[Severity(self.hit.severity)],
            "cvss_score": self.facts.cvss_score,
            "fix_version": self.hit.fix_version,
            "due_at": due_at(self.hit.severity, since, self.facts.kev_due_date),
        }


@transaction.atomic
def settle(*, instance_id: str, matches: Matches, now: datetime) -> Counts:
    """Bring the findings of the instance up to date.

    OPEN ones are refreshed, or FIXED when the package or the version is gone; ACKNOWLEDGED and FALSE_POSITIVE ones are
    left alone; FIXED ones open again when the version is still there. VEX statements decide what nobody decided.
    """
    installed = set(Installed.objects.filter(instance_id=instance_id).values_list("component_id", flat=True))
    seen = _seen(installed, matches)
    rows = Finding.objects.filter(instance_id=instance_id).select_for_update().order_by("pk")
    known = {(row.cve_id, row.package_name, row.ecosystem): row for row in rows.iterator(chunk_size=BATCH)}
    said = statements.of(instance_id)
    said.learn([one.hit.advisory_id for one in seen.values()])
    new = {key: one for key, one in seen.items() if key not in known}
    again = {key: (row, seen[key]) for key, row in known.items() if key in seen}
    gone = [row for key, row in known.items() if row.status == Status.OPEN and key not in seen]
    made = _create(instance_id, new, said, now)
    reopened = _see_again(again, said, now)
    _close(gone, now)
    return Counts(len(installed), len(seen), made, reopened, len(gone))


def _seen(installed: set[int], matches: Matches) -> dict[Key, Seen]:
    found: dict[Key, Seen] = {}
    for vulnerable in (matches.vulnerable[pk] for pk in installed & matches.vulnerable.keys()):
        for hit in vulnerable.hits:
            one = Seen(vulnerable.version, hit, matches.advisories[hit.advisory_id])
            key = (one.facts.cve_id, vulnerable.name, vulnerable.ecosystem)
            if key not in found or one.order < found[key].order:
                found[key] = one
    return found


def _create(instance_id: str, new: dict[Key, Seen], said: Statements, now: datetime) -> int:
    rows, decisions = [], []
    for (cve_id, package, ecosystem), one in new.items():
        row = Finding(
            instance_id=instance_id, cve_id=cve_id, package_name=package, ecosystem=ecosystem, detected_at=now,
            **one.told(now),
        )  # fmt: skip
        rows.append(row)
        if found := said.about(
            cve_id=cve_id, advisory_id=one.hit.advisory_id, package=package, ecosystem=ecosystem
        ):  # fmt: skip
            decisions.append(_decided(row, found.status, found.reason, now, before=""))
    Finding.objects.bulk_create(rows, batch_size=BATCH, ignore_conflicts=True)  # another match may be quicker
    stored: set[str] = set()
    for start in range(0, len(rows), BATCH):
        ids = [row.pk for row in rows[start : start + BATCH]]
        stored.update(Finding.objects.filter(pk__in=ids).values_list("pk", flat=True))
    Decision.objects.bulk_create((one for one in decisions if one.finding_id in stored), batch_size=BATCH)
    return len(stored)


def _see_again(again: dict[Key, tuple[Finding, Seen]], said: Statements, now: datetime) -> int:
    """Refresh what is open, open again what was fixed; how many of the latter."""
    refreshed, moved, decisions, reopened = [], [], [], 0
    for row, one in again.values():
        if row.status not in (Status.OPEN, Status.FIXED):
            continue
        since = max(row.detected_at, row.reopened_at or row.detected_at)
        found = said.about(
            cve_id=row.cve_id, advisory_id=one.hit.advisory_id, package=row.package_name, ecosystem=row.ecosystem
        )
        if found and row.status == Status.OPEN and found.at <= since:
            found = None  # somebody opened it in spite of the statement
        wanted = found.status if found else Status.OPEN
        if wanted != row.status:
            reason = found.reason if found else f"Version {one.version} is still installed"[:2000]
            decisions.append(_decided(row, wanted, reason, now))
            moved.append(row)
            if wanted == Status.OPEN:
                reopened, since = reopened + 1, now
        told = one.told(since)
        if any(getattr(row, name) != value for name, value in told.items()):
            for name, value in told.items():
                setattr(row, name, value)
            refreshed.append(row)
    Finding.objects.bulk_update(refreshed, SEEN, batch_size=BATCH)
    _store(moved, decisions)
    return reopened


def _close(gone: list[Finding], now: datetime) -> None:
    withdrawn = set(
        Advisory.objects.filter(pk__in={row.advisory_id for row in gone}, withdrawn_at__isnull=False)
        .values_list("pk", flat=True)
    ) if gone else set()  # fmt: skip
    decisions = []
    for row in gone:
        reason = f"{row.package_name} {row.package_version} is no longer installed, or no longer affected"
        if row.advisory_id in withdrawn:
            reason = "The advisory was withdrawn"
        decisions.append(_decided(row, Status.FIXED, reason, now))
    _store(gone, decisions)


def _decided(row: Finding, status: Status, reason: str, now: datetime, before: str | None = None) -> Decision:
    """Move the finding, and say why; nothing is stored."""
    decision = Decision(
        finding=row, author_name=AUTHOR, before=row.status if before is None else before, after=status,
        reason=reason, at=now,
    )  # fmt: skip
    move(row, status, now)
    return decision


def _store(moved: list[Finding], decisions: list[Decision]) -> None:
    Finding.objects.bulk_update(moved, CHANGED, batch_size=BATCH)
    Decision.objects.bulk_create(decisions, batch_size=BATCH)
