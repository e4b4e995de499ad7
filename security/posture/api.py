"""Summary and compliance over HTTP (contract: fleet console §22)."""

from datetime import datetime
from typing import Any

from django.utils import timezone
from drf_spectacular.utils import extend_schema
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response

from config.api.fields import CamelSerializer, milliseconds
from config.api.permissions import VIEWER
from config.api.views import ApiView
from fleet.instances.models import Instance
from fleet.instances.queries import get_visible
from security.posture import queries
from security.posture.score import Score


class AboutSerializer(serializers.Serializer):
    instanceId = serializers.CharField(required=False, max_length=128)  # noqa: N815 - the wire's name


class BreakdownSerializer(CamelSerializer):
    vulnerabilities = serializers.IntegerField()
    secret_rotation = serializers.IntegerField()
    ssh_keys = serializers.IntegerField()


class ScoreSerializer(CamelSerializer):
    total = serializers.IntegerField()
    breakdown = BreakdownSerializer()
    grade = serializers.ChoiceField(choices=("A", "B", "C", "D", "F"))


class CountsSerializer(CamelSerializer):
    total_vulnerabilities = serializers.IntegerField()
    by_severity = serializers.DictField(child=serializers.IntegerField())
    open_count = serializers.IntegerField()
    acknowledged_count = serializers.IntegerField()
    overdue_secrets = serializers.IntegerField()
    expired_ssh_keys = serializers.IntegerField()
    weak_ssh_keys = serializers.IntegerField()
    security_score = ScoreSerializer()


class SummarySerializer(serializers.Serializer):
    summary = CountsSerializer()


class CheckSerializer(serializers.Serializer):
    id = serializers.CharField()
    name = serializers.CharField()
    passed = serializers.BooleanField()
    details = serializers.CharField()


class ComplianceSerializer(CamelSerializer):
    instance_id = serializers.CharField(allow_null=True)
    compliance_percent = serializers.IntegerField()
    passed_checks = serializers.IntegerField()
    total_checks = serializers.IntegerField()
    checks = CheckSerializer(many=True)
    security_score = ScoreSerializer()
    generated_at = serializers.DateTimeField()


class Summary(ApiView):
    """Counts of what is at risk, and the score that they make."""

    roles = {"get": VIEWER}

    @extend_schema(parameters=[AboutSerializer], responses=SummarySerializer)
    def get(self, request: Request) -> Response:
        found = queries.summary(request.auth, about(request), now=timezone.now())
        body = {
            "totalVulnerabilities": found.open,
            "bySeverity": found.by_severity,
            "openCount": found.open,
            "acknowledgedCount": found.acknowledged,
            "overdueSecrets": found.overdue_rotations,
            "expiredSshKeys": found.expired_keys,
            "weakSshKeys": found.weak_keys,
            "securityScore": score_body(found.score),
        }
        return Response({"summary": body})


class Compliance(ApiView):
    """Five checks; `details` names what speaks against each."""

    roles = {"get": VIEWER}

    @extend_schema(parameters=[AboutSerializer], responses=ComplianceSerializer)
    def get(self, request: Request) -> Response:
        instance, now = about(request), timezone.now()
        return Response(compliance_body(queries.compliance(request.auth, instance, now=now), instance, now))


def about(request: Request) -> Instance | None:
    """The instance that the address asks about; NotFound for one that the caller does not see."""
    pk = request.query_params.get("instanceId")
    return get_visible(instance_id=pk, principal=request.auth) if pk else None


def score_body(score: Score) -> dict[str, Any]:
    """A score as it travels."""
    breakdown = {
        "vulnerabilities": score.vulnerabilities,
        "secretRotation": score.secret_rotation,
        "sshKeys": score.ssh_keys,
    }
    return {"total": score.total, "breakdown": breakdown, "grade": score.grade}


def compliance_body(found: queries.Compliance, instance: Instance | None, now: datetime) -> dict[str, Any]:
    """Compliance as it travels."""
    checks = [{"id": one.id, "name": one.name, "passed": one.passed, "details": one.details} for one in found.checks]
    return {
        "instanceId": instance.pk if instance else None,
        "compliancePercent": found.percent,
        "passedChecks": found.passed,
        "totalChecks": len(checks),
        "checks": checks,
        "securityScore": score_body(found.score),
        "generatedAt": milliseconds(now),
    }
