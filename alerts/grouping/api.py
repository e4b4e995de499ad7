"""Groupings over HTTP: `/api/v1/alerts/groupings`."""

from typing import Any

from rest_framework import serializers

from alerts.grouping.models import Grouping
from alerts.labels.matchers import NAME, MatchersField
from alerts.labels.viewsets import HandlingViewSet
from config.api.fields import Body, FleetSerializer

LONGEST_S = 7 * 86_400


class GroupingSerializer(Body, FleetSerializer):
    """Seconds: `waitS` before the first message, `intervalS` between two, `repeatS` before telling again (0: never)."""

    matchers = MatchersField(required=False)
    labels = serializers.ListField(child=serializers.CharField(max_length=80), required=False, max_length=10)
    wait_s = serializers.IntegerField(min_value=0, max_value=3600, required=False)
    interval_s = serializers.IntegerField(min_value=0, max_value=86_400, required=False)
    repeat_s = serializers.IntegerField(min_value=0, max_value=LONGEST_S, required=False)
    position = serializers.IntegerField(min_value=0, max_value=9999, required=False)

    class Meta:
        model = Grouping
        fields = (
            "id", "name", "position", "enabled", "matchers", "labels", "wait_s", "interval_s", "repeat_s",
            "created_at", "updated_at",
        )  # fmt: skip
        extra_kwargs = {"name": {"validators": []}}  # the database answers: a name that is taken is a conflict

    def validate_labels(self, value: list[str]) -> list[str]:
        if wrong := [name for name in value if not NAME.fullmatch(name)]:
            raise serializers.ValidationError(f"“{wrong[0]}” is not the name of a label.")
        return list(dict.fromkeys(value))

    def validate_repeatS(self, value: int) -> int:
        if 0 < value < 60:
            raise serializers.ValidationError("At least 60 seconds, or 0 for never.")
        return value

    def create(self, validated_data: dict[str, Any]) -> Grouping:
        return Grouping.objects.create(**_plain(validated_data))

    def update(self, instance: Grouping, validated_data: dict[str, Any]) -> Grouping:
        for name, value in _plain(validated_data).items():
            setattr(instance, name, value)
        instance.save()
        return instance


def _plain(values: dict[str, Any]) -> dict[str, Any]:
    if "matchers" in values:
        values["matchers"] = [dict(one) for one in values["matchers"]]
    return values


class GroupingViewSet(HandlingViewSet):
    """Which alerts are told together, and how often."""

    queryset = Grouping.objects.order_by("position", "name", "pk")
    serializer_class = GroupingSerializer
    list_name, noun, resource = "groupings", "Grouping", "alert_grouping"
