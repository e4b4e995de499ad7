"""A forecast as it travels."""

from typing import Any

from rest_framework import serializers

from config.api.fields import CamelSerializer
from costs.forecast.rules import Forecast
from costs.money import wire


class ForecastSerializer(CamelSerializer):
    """USD at the end of `until`; without a range `lowUsd` and `highUsd` are null."""

    until = serializers.DateField()
    spent_usd = serializers.FloatField()
    expected_usd = serializers.FloatField()
    low_usd = serializers.FloatField(allow_null=True)
    high_usd = serializers.FloatField(allow_null=True)
    usual_day_usd = serializers.FloatField()
    known_days = serializers.IntegerField()


def forecast_body(found: Forecast | None) -> dict[str, Any] | None:
    if found is None:
        return None
    return {
        "until": found.until.isoformat(),
        "spentUsd": wire(found.spent),
        "expectedUsd": wire(found.expected),
        "lowUsd": None if found.low is None else wire(found.low),
        "highUsd": None if found.high is None else wire(found.high),
        "usualDayUsd": wire(round(found.typical.mean)),
        "knownDays": found.typical.days,
    }
