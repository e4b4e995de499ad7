"""Costs of language models over HTTP (contract: fleet console §33.6, second stage).

No agent reports such use yet, so nothing was spent: the console's cost page asks for these on load.
"""

from typing import Any

from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import extend_schema
from rest_framework.request import Request
from rest_framework.response import Response

from config.api.permissions import VIEWER
from config.api.views import ApiView
from costs.reports.ranges import RANGE, Asked, read_range

COUNTS = ("totalInputTokens", "totalOutputTokens", "totalCacheReadTokens", "totalCacheWriteTokens")


def _nothing(asked: Asked) -> dict[str, Any]:
    groups: dict[str, list] = {name: [] for name in ("byProvider", "byModel", "byInstance")}
    return {"totalCostUsd": 0.0} | dict.fromkeys(COUNTS, 0) | groups | asked.period


class LlmSummary(ApiView):
    """What models cost, by provider, model and instance."""

    roles = {"get": VIEWER}

    @extend_schema(parameters=RANGE, responses=OpenApiTypes.OBJECT)
    def get(self, request: Request) -> Response:
        return Response(_nothing(read_range(request)))


class LlmTrends(ApiView):
    """What models cost each day; only days with use."""

    roles = {"get": VIEWER}

    @extend_schema(parameters=RANGE, responses=OpenApiTypes.OBJECT)
    def get(self, request: Request) -> Response:
        read_range(request)
        return Response({"points": []})


class LlmOfInstance(ApiView):
    """What models cost on one instance."""

    roles = {"get": VIEWER}

    @extend_schema(parameters=RANGE[:2], responses=OpenApiTypes.OBJECT)
    def get(self, request: Request, id: str) -> Response:
        return Response({"instanceId": id} | _nothing(read_range(request, instance_id=id)))


class LlmPricing(ApiView):
    """Prices of models; none are kept."""

    roles = {"get": VIEWER}

    @extend_schema(responses=OpenApiTypes.OBJECT)
    def get(self, request: Request) -> Response:
        return Response({"models": []})
