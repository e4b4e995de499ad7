"""Advice about sizes over HTTP (contract: fleet console §17)."""

from typing import Any

from drf_spectacular.utils import OpenApiParameter, extend_schema
from rest_framework import serializers
from rest_framework.decorators import action
from rest_framework.request import Request
from rest_framework.response import Response

from config.api.errors import Invalid
from config.api.fields import CamelSerializer, milliseconds
from config.api.permissions import OPERATOR, VIEWER
from config.api.views import FleetViewSet
from costs.money import wire
from costs.rightsizing import queries, services
from costs.rightsizing.models import Recommendation

BOOLEANS = {"true": True, "1": True, "false": False, "0": False, "": False}


class RecommendationSerializer(CamelSerializer):
    id = serializers.CharField()
    instance_id = serializers.CharField()
    instance_name = serializers.CharField()
    provider = serializers.CharField()
    current_tier = serializers.CharField()
    suggested_tier = serializers.CharField()
    current_usd_mo = serializers.FloatField()
    suggested_usd_mo = serializers.FloatField()
    savings_usd_mo = serializers.FloatField()
    avg_cpu_percent = serializers.FloatField()
    avg_mem_percent = serializers.FloatField()
    confidence = serializers.FloatField()
    generated_at = serializers.DateTimeField()
    dismissed = serializers.BooleanField()


class RecommendationsSerializer(CamelSerializer):
    recommendations = RecommendationSerializer(many=True)
    total_savings_usd_mo = serializers.FloatField()


class OutcomeSerializer(serializers.Serializer):
    analyzed = serializers.IntegerField()
    generated = serializers.IntegerField()
    skipped = serializers.IntegerField()


def body(advice: Recommendation) -> dict[str, Any]:
    return {
        "id": advice.pk,
        "instanceId": advice.instance_id,
        "instanceName": advice.instance.name,
        "provider": advice.instance.provider,
        "currentTier": advice.current_tier,
        "suggestedTier": advice.suggested_tier,
        "currentUsdMo": wire(advice.current_micros),
        "suggestedUsdMo": wire(advice.suggested_micros),
        "savingsUsdMo": wire(advice.savings_micros),
        "avgCpuPercent": round(advice.avg_cpu_percent, 2),
        "avgMemPercent": round(advice.avg_mem_percent, 2),
        "confidence": advice.confidence,
        "generatedAt": milliseconds(advice.generated_at),
        "dismissed": advice.dismissed,
    }


class RecommendationViewSet(FleetViewSet):
    """Instances that a smaller size would do for, the largest saving first; at most one an instance."""

    queryset = Recommendation.objects.all()
    serializer_class = RecommendationSerializer
    filter_backends = ()
    pagination_class = None  # type: ignore[assignment]
    noun, team_attr = "Recommendation", "instance.team_id"
    roles = {"list": VIEWER, "dismiss": OPERATOR, "analyze": OPERATOR}

    def get_object(self) -> Recommendation:
        found = queries.get_visible(principal=self.request.auth, pk=self.kwargs["pk"])
        self.check_object_permissions(self.request, found)
        return found

    @extend_schema(parameters=[OpenApiParameter("dismissed", bool)], responses=RecommendationsSerializer)
    def list(self, request: Request) -> Response:
        text = request.query_params.get("dismissed", "").lower()
        if text not in BOOLEANS:
            sentence = "dismissed must be true or false"
            raise Invalid(sentence, details={"dismissed": [sentence]})
        found = list(queries.advice(request.auth, dismissed=BOOLEANS[text]))
        savings = sum(one.savings_micros for one in found if not one.dismissed)
        return Response({"recommendations": [body(one) for one in found], "totalSavingsUsdMo": wire(savings)})

    @extend_schema(request=None)
    @action(detail=True, methods=["post"])
    def dismiss(self, request: Request, pk: str) -> Response:
        """Hide it as long as it advises the same."""
        return Response(body(services.dismiss(advice=self.get_object(), actor=request.auth, request=request)))

    @extend_schema(request=None, responses=OutcomeSerializer)
    @action(detail=False, methods=["post"])
    def analyze(self, request: Request) -> Response:
        """Look at all running instances now."""
        return Response(vars(services.analyze_now(actor=request.auth, request=request)))
