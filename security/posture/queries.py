"""What is at risk on the instances that somebody sees: summary, compliance, fixes that are overdue (§22)."""

from dataclasses import dataclass
from datetime import datetime

from django.db.models import Count, Min, Q

from config.api.authentication import Principal
from fleet.instances.models import Instance
from security.bom.models import Inventory
from security.posture.controls import NAMED, Check, checks
from security.posture.scope import Scope
from security.posture.score import Score, score
from security.ssh_keys.models import WEAK, standing
from security.ssh_keys.models import Status as KeyStatus
from security.vulnerabilities.figures import SIGNALS
from security.vulnerabilities.models import Archive, FindingQuerySet, Severity, Status

MOST = 1000  # instances with overdue fixes that are told at once


@dataclass(frozen=True)
class Summary:
    """Counts of what needs somebody. `by_severity` has all severities, open vulnerabilities only."""

    by_severity: dict[str, int]
    acknowledged: int
    overdue_rotations: int
    expired_keys: int
    weak_keys: int

    @property
    def open(self) -> int:
        return sum(self.by_severity.values())

    @property
    def score(self) -> Score:
        return score(by_severity=self.by_severity, overdue=self.overdue_rotations, weak_active=self.weak_keys)


@dataclass(frozen=True)
class Compliance:
    """The five checks in the contract's order, and the score of the same facts."""

    checks: list[Check]
    score: Score

    @property
    def passed(self) -> int:
        return sum(check.passed for check in self.checks)

    @property
    def percent(self) -> int:
        return round(100 * self.passed / len(self.checks))


@dataclass(frozen=True)
class Coverage:
    """What the figures rest on: instances, those without a list of packages, and whether there are advisories."""

    instances: int
    unlisted: int
    has_advisories: bool

    @property
    def whole(self) -> bool:
        return self.has_advisories and not self.unlisted


@dataclass(frozen=True)
class Overdue:
    """Open vulnerabilities of one instance whose time to be fixed is over; `since` is when the first one's was."""

    instance: Instance
    count: int
    severity: str
    since: datetime


def summary(principal: Principal | None, instance: Instance | None = None, *, now: datetime) -> Summary:
    """Of one instance, else of all that the caller sees. Weak keys are those that still open something."""
    scope = Scope(principal, instance)
    waiting = scope.findings().filter(status__in=(Status.OPEN, Status.ACKNOWLEDGED)).order_by()
    counted = waiting.values_list("severity", "status").annotate(Count("pk"))
    found = {(severity, status): count for severity, status, count in counted}
    keys = scope.keys().aggregate(
        expired=Count("pk", filter=standing(KeyStatus.EXPIRED, now)),
        weak=Count("pk", filter=standing(KeyStatus.ACTIVE, now) & WEAK),
    )
    return Summary(
        by_severity={severity: found.get((severity, Status.OPEN), 0) for severity in Severity.values},
        acknowledged=sum(found.get((severity, Status.ACKNOWLEDGED), 0) for severity in Severity.values),
        overdue_rotations=scope.rotations().overdue(now).count(),
        expired_keys=keys["expired"],
        weak_keys=keys["weak"],
    )


def compliance(
    principal: Principal | None, instance: Instance | None = None, *, now: datetime, named: int = NAMED
) -> Compliance:
    """Which controls hold, each with at most so many pieces of evidence against it."""
    scope = Scope(principal, instance)
    return Compliance(checks(scope, now, named), summary(principal, instance, now=now).score)


def coverage(principal: Principal | None, instance: Instance | None = None) -> Coverage:
    """A score is no praise where nothing is known: how many instances never told what is installed on them."""
    scope = Scope(principal, instance)
    listed = Inventory.objects.order_by().values("instance")
    counts = scope.instances().aggregate(all=Count("pk"), unlisted=Count("pk", filter=~Q(pk__in=listed)))
    return Coverage(counts["all"], counts["unlisted"], Archive.objects.exclude(name__in=SIGNALS).exists())


def overdue_fixes(principal: Principal | None, now: datetime, *, most: int = MOST) -> list[Overdue]:
    """Instances that the caller sees with fixes that are overdue, the worst and oldest first."""
    return late_instances(Scope(principal).findings(), now, most=most)


def late_instances(findings: FindingQuerySet, now: datetime, *, most: int | None = MOST) -> list[Overdue]:
    """The same of any findings, with two queries."""
    late = findings.overdue(now).order_by().values("instance_id")
    grouped = late.annotate(count=Count("pk"), worst=Min("rank"), since=Min("due_at"))
    rows = list(grouped.order_by("worst", "since", "instance_id")[:most])
    named = Instance.objects.in_bulk([row["instance_id"] for row in rows])
    return [
        Overdue(named[row["instance_id"]], row["count"], Severity.values[row["worst"]], row["since"])
        for row in rows
        if row["instance_id"] in named
    ]
