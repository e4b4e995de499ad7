"""Unusual days over HTTP: `/api/v1/costs/anomalies`."""

from datetime import timedelta
from typing import Any

from django.utils import timezone
from drf_spectacular.utils import OpenApiParameter, extend_schema
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response

from config.api.fields import CamelSerializer
from config.api.pagination import integer
from config.api.permissions import VIEWER
from config.api.views import ApiView
from costs.anomalies.queries import Finding, sentence, unusual_days
from costs.anomalies.rules import WORDS
from costs.ledger.queries import Scope
from costs.money import wire

USUAL_DAYS, MOST_DAYS = 30, 366


class AnomalySerializer(CamelSerializer):
    date = serializers.DateField()
    total_usd = serializers.FloatField()
    usual_usd = serializers.FloatField()
    difference_usd = serializers.FloatField()
    text = serializers.CharField()


class AnomaliesSerializer(serializers.Serializer):
    anomalies = AnomalySerializer(many=True)
    method = serializers.CharField()


class Anomalies(ApiView):
    """Whole UTC days of the last `days` that cost far more or less than the days before them, the newest first."""

    roles = {"get": VIEWER}

    @extend_schema(parameters=[OpenApiParameter("days", int)], responses=AnomaliesSerializer)
    def get(self, request: Request) -> Response:
        days = integer(request, "days", USUAL_DAYS, 1, MOST_DAYS)
        today = timezone.now().date()
        found = unusual_days(Scope(request.auth), since=today - timedelta(days=days), until=today - timedelta(days=1))
        return Response({"anomalies": [body(one) for one in found], "method": WORDS})


def body(finding: Finding) -> dict[str, Any]:
    odd = finding.oddity
    return {
        "date": odd.day.isoformat(),
        "totalUsd": wire(odd.cost),
        "usualUsd": wire(odd.usual),
        "differenceUsd": wire(odd.more),
        "text": sentence(finding),
    }
