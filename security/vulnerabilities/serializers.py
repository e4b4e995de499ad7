"""Findings on the wire (contract: fleet console §22)."""

from typing import Any

from rest_framework import serializers

from config.api.fields import Body, CamelSerializer, MillisecondsField, milliseconds
from security.vulnerabilities.models import Decision, Finding, Severity, Status
from security.vulnerabilities.triage import LONGEST_REASON
from security.vulnerabilities.wording import links


class VulnerabilitySerializer(CamelSerializer):
    """The fields of the contract, then ours: when to have fixed it, and how it is exploited."""

    id = serializers.CharField()
    instance_id = serializers.CharField()
    instance_name = serializers.CharField()
    cve_id = serializers.CharField()
    osv_id = serializers.CharField(allow_null=True)
    package_name = serializers.CharField()
    package_version = serializers.CharField()
    ecosystem = serializers.CharField()
    severity = serializers.ChoiceField(Severity.choices)
    cvss_score = serializers.FloatField(allow_null=True)
    title = serializers.CharField()
    description = serializers.CharField()
    fix_version = serializers.CharField(allow_null=True)
    references = serializers.ListField(child=serializers.CharField())
    status = serializers.ChoiceField(Status.choices)
    detected_at = serializers.DateTimeField()
    acknowledged_at = serializers.DateTimeField(required=False)
    fixed_at = serializers.DateTimeField(required=False)
    cvss_vector = serializers.CharField(allow_null=True)
    due_at = serializers.DateTimeField(allow_null=True)
    overdue = serializers.BooleanField()
    epss = serializers.FloatField(allow_null=True)
    epss_percentile = serializers.FloatField(allow_null=True)
    kev = serializers.BooleanField()
    kev_due_date = serializers.DateField(allow_null=True)


class DecidedSerializer(serializers.Serializer):
    id = serializers.CharField()
    status = serializers.ChoiceField(Status.choices)


class ReasonSerializer(Body):
    reason = serializers.CharField(required=False, allow_blank=True, max_length=LONGEST_REASON)


class DecisionSerializer(CamelSerializer):
    id = serializers.IntegerField()
    before = serializers.ChoiceField(Status.choices, allow_null=True)
    after = serializers.ChoiceField(Status.choices)
    author = serializers.CharField()
    author_id = serializers.CharField(allow_null=True)
    reason = serializers.CharField(allow_null=True)
    at = serializers.DateTimeField()


class ScanSerializer(CamelSerializer):
    instance_id = serializers.CharField()
    instance_name = serializers.CharField()
    scanned_at = MillisecondsField()
    packages_scanned = serializers.IntegerField()
    vulnerabilities_detected = serializers.IntegerField()
    new_vulnerabilities_saved = serializers.IntegerField()


def body(finding: Finding) -> dict[str, Any]:
    """One finding that came through `as_shown`."""
    advisory, signal, late = finding.advisory, finding.signal, finding.late  # type: ignore[attr-defined]
    found = {
        "id": finding.pk,
        "instanceId": finding.instance_id,
        "instanceName": finding.instance.name,
        "cveId": finding.cve_id,
        "osvId": advisory.pk,
        "packageName": finding.package_name,
        "packageVersion": finding.package_version,
        "ecosystem": finding.ecosystem,
        "severity": finding.severity,
        "cvssScore": finding.cvss_score,
        "title": advisory.title,
        "description": advisory.description,
        "fixVersion": finding.fix_version,
        "references": links(advisory.references),
        "status": finding.status,
        "detectedAt": milliseconds(finding.detected_at),
        "cvssVector": advisory.cvss_vector or None,
        "dueAt": milliseconds(finding.due_at),
        "overdue": late,
        "epss": signal.epss if signal else None,
        "epssPercentile": signal.epss_percentile if signal else None,
        "kev": bool(signal and signal.kev_added_date),
        "kevDueDate": signal.kev_due_date if signal else None,
    }
    times = {"acknowledgedAt": finding.acknowledged_at, "fixedAt": finding.fixed_at}
    return found | {name: milliseconds(at) for name, at in times.items() if at}


def decision_body(decision: Decision) -> dict[str, Any]:
    return {
        "id": decision.pk,
        "before": decision.before or None,
        "after": decision.after,
        "author": decision.author_name,
        "authorId": decision.author_id,
        "reason": decision.reason or None,
        "at": milliseconds(decision.at),
    }
