"""Advisories, what they affect, and findings on instances (contract: fleet console §22)."""

from datetime import datetime

from django.conf import settings
from django.db import models

from config import formats
from config.api.authentication import Principal
from config.ids import cuid
from fleet.instances.models import Status as InstanceStatus

LEAST_EPSS = 0.0001  # a smaller probability is not told as a number


class Severity(models.TextChoices):
    CRITICAL = "CRITICAL", "Critical"
    HIGH = "HIGH", "High"
    MEDIUM = "MEDIUM", "Medium"
    LOW = "LOW", "Low"
    UNKNOWN = "UNKNOWN", "Unknown"


class Status(models.TextChoices):
    OPEN = "OPEN", "Open"
    ACKNOWLEDGED = "ACKNOWLEDGED", "Acknowledged"
    FIXED = "FIXED", "Fixed"
    FALSE_POSITIVE = "FALSE_POSITIVE", "False positive"


class Archive(models.Model):
    """An imported file of advisories or of signals about them; `name` is an ecosystem, `epss` or `kev`."""

    name = models.CharField(max_length=64, unique=True)
    digest = models.CharField(max_length=64)
    entries = models.PositiveIntegerField(default=0)
    newest_at = models.DateTimeField(null=True)
    imported_at = models.DateTimeField()

    def __str__(self) -> str:
        return f"{self.name}, {self.entries} entries"


class Advisory(models.Model):
    """One advisory in OSV terms, the parts that people read and that severity comes from."""

    id = models.CharField(primary_key=True, max_length=128)
    cve_id = models.CharField(max_length=128, db_index=True)
    title = models.CharField(max_length=512)
    description = models.TextField(blank=True)
    severity = models.CharField(max_length=8, choices=Severity, default=Severity.UNKNOWN)
    cvss_vector = models.CharField(max_length=256, blank=True)
    cvss_score = models.FloatField(null=True)
    aliases = models.JSONField(default=list)
    references = models.JSONField(default=list)
    published_at = models.DateTimeField(null=True)
    modified_at = models.DateTimeField()
    withdrawn_at = models.DateTimeField(null=True)

    class Meta:
        verbose_name_plural = "advisories"

    def __str__(self) -> str:
        return self.id


class Affected(models.Model):
    """What an advisory says of one package: OSV ranges and listed versions."""

    advisory = models.ForeignKey(Advisory, on_delete=models.CASCADE, related_name="affected")
    ecosystem = models.CharField(max_length=64)
    name = models.CharField(max_length=256)
    ranges = models.JSONField(default=list)
    versions = models.JSONField(default=list)
    fix_version = models.CharField(max_length=256, null=True)
    severity = models.CharField(max_length=8, choices=Severity, blank=True)

    class Meta:
        indexes = (models.Index(fields=["ecosystem", "name"], name="affected_package"),)

    def __str__(self) -> str:
        return f"{self.advisory_id} in {self.ecosystem}/{self.name}"


class Signal(models.Model):
    """How likely and how certainly a CVE is exploited: EPSS probability, CISA's list of known exploited ones."""

    cve_id = models.CharField(primary_key=True, max_length=32)
    epss = models.FloatField(null=True)
    epss_percentile = models.FloatField(null=True)
    kev_added_date = models.DateField(null=True)
    kev_due_date = models.DateField(null=True)
    kev_ransomware = models.BooleanField(default=False)

    def __str__(self) -> str:
        return self.cve_id

    @property
    def epss_words(self) -> str:
        """How likely it is exploited within 30 days, in percent; "" when that is not known."""
        if self.epss is None:
            return ""
        return formats.percent(round(100 * self.epss, 2)) if self.epss >= LEAST_EPSS else "under 0.01 %"

    @property
    def rank_percent(self) -> float | None:
        """Of all vulnerabilities, how many are no likelier, 0 to 100."""
        return None if self.epss_percentile is None else round(100 * self.epss_percentile, 1)


class FleetMatch(models.Model):
    """When the whole fleet was last matched; one row, whose change decides whose turn it is."""

    started_at = models.DateTimeField()
    finished_at = models.DateTimeField(null=True)

    def __str__(self) -> str:
        return f"match of {self.started_at}"


class FindingQuerySet(models.QuerySet["Finding"]):
    def visible_to(self, principal: Principal | None) -> "FindingQuerySet":
        """Those of instances that the caller may see; a key of one instance sees its own only."""
        if principal is None:
            return self.none()
        if principal.instance_id:
            return self.filter(instance_id=principal.instance_id)
        if principal.sees_all:
            return self
        return self.filter(models.Q(instance__team_id=None) | models.Q(instance__team_id__in=list(principal.teams)))

    def current(self) -> "FindingQuerySet":
        """Without those of instances that are kept for history only."""
        return self.exclude(instance__status=InstanceStatus.DESTROYED)

    def overdue(self, now: datetime) -> "FindingQuerySet":
        """Open ones whose time to be fixed is over."""
        return self.filter(status=Status.OPEN, due_at__lt=now)

    def worst_first(self) -> "FindingQuerySet":
        """The order of the API: severity, then the newest (contract: fleet console §22)."""
        return self.order_by("rank", "-detected_at", "pk")


class Finding(models.Model):
    """A vulnerable package on an instance. `rank` sorts severities, worst first; `due_at` is when to have fixed it."""

    id = models.CharField(primary_key=True, max_length=32, default=cuid, editable=False)
    instance = models.ForeignKey("fleet.Instance", on_delete=models.CASCADE, related_name="findings")
    advisory = models.ForeignKey(Advisory, on_delete=models.PROTECT, related_name="findings")
    cve_id = models.CharField(max_length=128)
    package_name = models.CharField(max_length=256)
    package_version = models.CharField(max_length=256)
    ecosystem = models.CharField(max_length=64)
    severity = models.CharField(max_length=8, choices=Severity)
    rank = models.PositiveSmallIntegerField()
    cvss_score = models.FloatField(null=True)
    fix_version = models.CharField(max_length=256, null=True)
    status = models.CharField(max_length=14, choices=Status, default=Status.OPEN)
    detected_at = models.DateTimeField()
    due_at = models.DateTimeField(null=True)
    acknowledged_at = models.DateTimeField(null=True)
    fixed_at = models.DateTimeField(null=True)
    reopened_at = models.DateTimeField(null=True)

    objects = FindingQuerySet.as_manager()

    class Meta:
        constraints = (
            models.UniqueConstraint(fields=["instance", "cve_id", "package_name", "ecosystem"], name="finding_once"),
            models.CheckConstraint(condition=models.Q(status__in=Status.values), name="finding_status_known"),
        )
        indexes = (
            models.Index(fields=["rank", "-detected_at", "id"], name="finding_worst"),
            models.Index(fields=["status", "severity"], name="finding_open"),
            models.Index(fields=["due_at"], condition=models.Q(status="OPEN"), name="finding_due"),
        )

    def __str__(self) -> str:
        return f"{self.cve_id} in {self.package_name} {self.package_version}"

    def is_overdue(self, now: datetime) -> bool:
        """Open beyond its time to be fixed."""
        return self.status == Status.OPEN and self.due_at is not None and self.due_at < now


class Decision(models.Model):
    """One change of a finding's status: who, why. `author` is null when the product saw it itself."""

    finding = models.ForeignKey(Finding, on_delete=models.CASCADE, related_name="decisions")
    author = models.ForeignKey(settings.AUTH_USER_MODEL, null=True, on_delete=models.SET_NULL, related_name="+")
    author_name = models.CharField(max_length=254)
    before = models.CharField(max_length=14, blank=True)
    after = models.CharField(max_length=14, choices=Status)
    reason = models.CharField(max_length=2000, blank=True)
    at = models.DateTimeField()

    class Meta:
        indexes = (models.Index(fields=["finding", "-at"], name="decision_newest"),)

    def __str__(self) -> str:
        return f"{self.after} {self.at}"
