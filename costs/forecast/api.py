"""The forecast over HTTP: `/api/v1/costs/forecast`."""

from typing import Any

from django.utils import timezone
from drf_spectacular.utils import extend_schema
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response

from config.api.permissions import VIEWER
from config.api.views import ApiView
from costs.forecast import queries
from costs.forecast.answers import ForecastSerializer, forecast_body
from costs.forecast.rules import WORDS
from costs.ledger.queries import Scope


class MonthForecastSerializer(serializers.Serializer):
    """`forecast` is null while no whole day is known."""

    forecast = ForecastSerializer(allow_null=True)
    method = serializers.CharField()


class MonthForecast(ApiView):
    """What this month will have cost at its end (UTC), with a range and the method in words."""

    roles = {"get": VIEWER}

    @extend_schema(responses=MonthForecastSerializer)
    def get(self, request: Request) -> Response:
        found = queries.of_month(Scope(request.auth), timezone.now())
        answer: dict[str, Any] = {"forecast": forecast_body(found), "method": WORDS}
        return Response(answer)
