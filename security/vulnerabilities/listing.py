"""Findings as people look for them: filters of the address, tabs, counts; and how vulnerabilities are exploited."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, fields, replace
from datetime import datetime
from urllib.parse import urlencode

from django.db.models import Case, Count, F, Q, QuerySet, When
from django.db.models.functions import Coalesce

from security.vulnerabilities.models import Decision, Finding, FindingQuerySet, Severity, Signal, Status

TABS = {
    "open": ("Open", (Status.OPEN,)),
    "acknowledged": ("Acknowledged", (Status.ACKNOWLEDGED,)),
    "fixed": ("Fixed", (Status.FIXED,)),
    "false_positive": ("False positive", (Status.FALSE_POSITIVE,)),
    "all": ("All", tuple(Status)),
}
FLAGS = ("overdue", "kev")


@dataclass(frozen=True)
class Filters:
    """What the address asks for; what is not known counts as not asked for."""

    status: str = "open"
    q: str = ""
    severity: str = ""
    ecosystem: str = ""
    package: str = ""
    instance: str = ""
    overdue: str = ""  # "yes": open beyond its time to be fixed
    kev: str = ""  # "yes": known to be exploited

    @classmethod
    def of(cls, given: Mapping[str, str]) -> "Filters":
        values = {one.name: given.get(one.name, "").replace("\x00", "").strip()[:256] for one in fields(cls)}
        values["status"] = values["status"].lower() if values["status"].lower() in TABS else "open"
        values["severity"] = values["severity"].upper() if values["severity"].upper() in Severity.values else ""
        for flag in FLAGS:
            values[flag] = "yes" if values[flag] else ""
        return cls(**values)

    @property
    def narrow(self) -> bool:
        """Whether anything but the tab is chosen."""
        return any(value for name, value in vars(self).items() if name != "status")

    @property
    def chosen(self) -> list[tuple[str, str]]:
        """What is chosen, as fields of an address or a form."""
        return [(name, value) for name, value in vars(self).items() if value and (name, value) != ("status", "open")]

    def query(self, **change: str) -> str:
        """The address that asks for this, with some values changed."""
        return urlencode(replace(self, **change).chosen)

    @property
    def api_path(self) -> str:
        """The same question to the API."""
        values = {
            "status": self.status.upper() if self.status != "all" else "",
            "severity": self.severity,
            "ecosystem": self.ecosystem,
            "package": self.package,
            "instanceId": self.instance,
            "search": self.q,
            **{flag: "true" if getattr(self, flag) else "" for flag in FLAGS},
        }
        query = urlencode({name: value for name, value in values.items() if value})
        return "/api/v1/security/vulnerabilities" + (f"?{query}" if query else "")


def narrowed(findings: FindingQuerySet, filters: Filters, now: datetime) -> FindingQuerySet:
    """Findings that pass the filters, whatever tab they belong to."""
    exact = {
        "severity": filters.severity,
        "ecosystem__iexact": filters.ecosystem,
        "package_name__iexact": filters.package,
        "instance_id": filters.instance,
    }
    findings = findings.filter(**{name: value for name, value in exact.items() if value})
    if filters.overdue:
        findings = findings.overdue(now)
    if filters.kev:
        findings = findings.filter(known_exploited())
    return searched(findings, filters.q) if filters.q else findings


def known_exploited() -> Q:
    """Findings whose vulnerability is on CISA's list."""
    return Q(cve_id__in=Signal.objects.filter(kev_added_date__isnull=False).values("cve_id"))


def searched(findings: FindingQuerySet, words: str) -> FindingQuerySet:
    """Those with the text in the name of the vulnerability, its title, the package or the instance, in any case."""
    found = Q(cve_id__icontains=words) | Q(advisory__title__icontains=words)
    return findings.filter(found | Q(package_name__icontains=words) | Q(instance__name__icontains=words))


def in_tab(findings: FindingQuerySet, tab: str) -> FindingQuerySet:
    return findings.filter(status__in=TABS[tab][1])


def most_pressing(findings: FindingQuerySet) -> FindingQuerySet:
    """The order of the page: severity, then the nearest time to be fixed, then the oldest."""
    return findings.order_by("rank", F("due_at").asc(nulls_last=True), "detected_at", "pk")


def counts_by_tab(findings: FindingQuerySet) -> dict[str, int]:
    rows = dict(findings.order_by().values_list("status").annotate(Count("pk")))
    return {tab: sum(rows.get(status, 0) for status in statuses) for tab, (_, statuses) in TABS.items()}


def ecosystems(findings: FindingQuerySet) -> list[str]:
    """Those that have findings, by name."""
    return list(findings.order_by("ecosystem").values_list("ecosystem", flat=True).distinct()[:100])


def as_shown(findings: Iterable[Finding], now: datetime) -> list[Finding]:
    """The findings, each with `signal`: how its vulnerability is exploited or None, and `late`: whether it is overdue.

    One query.
    """
    shown = list(findings)
    known = Signal.objects.in_bulk({finding.cve_id for finding in shown}) if shown else {}
    for finding in shown:
        finding.signal = known.get(finding.cve_id)  # type: ignore[attr-defined]
        finding.late = finding.is_overdue(now)  # type: ignore[attr-defined]
    return shown


def elsewhere(finding: Finding, findings: FindingQuerySet) -> FindingQuerySet:
    """The same vulnerability on other instances, those that need somebody first."""
    same = findings.filter(cve_id=finding.cve_id).exclude(pk=finding.pk)
    order = Case(When(status=Status.OPEN, then=0), When(status=Status.ACKNOWLEDGED, then=1), default=2)
    return same.order_by(order, "rank", Coalesce("due_at", "detected_at"), "pk")


def history(finding: Finding) -> QuerySet[Decision]:
    """What was decided about it, newest first."""
    return Decision.objects.filter(finding=finding).order_by("-at", "-pk")
