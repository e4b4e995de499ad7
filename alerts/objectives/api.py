"""Objectives over HTTP: `/api/v1/alerts/objectives`."""

from typing import Any

from django.db.models import QuerySet
from django.utils import timezone
from rest_framework import serializers

from alerts.channels.models import Channel
from alerts.labels.viewsets import HandlingViewSet
from alerts.objectives import queries
from alerts.objectives.burning import WINDOWS
from alerts.objectives.models import Indicator, Objective, Tally
from config import formats
from config.api.errors import NotFound
from config.api.fields import Body, FleetSerializer
from loadtest.workspace.models import SavedRequest
from monitors.monitors.models import Monitor

COUNTED_BY = ("monitor", "request_id", "indicator", "latency_ms")  # another one of these makes old counts wrong


class ObjectiveSerializer(Body, FleetSerializer):
    """`standing`: what is left of the budget; how many times too fast each window spends it (null: no data)."""

    monitor_id = serializers.UUIDField(required=False, allow_null=True)
    request_id = serializers.CharField(required=False, allow_null=True, max_length=128)
    latency_ms = serializers.IntegerField(required=False, allow_null=True, min_value=1, max_value=600_000)
    target = serializers.FloatField(min_value=50, max_value=99.9999)
    window_days = serializers.IntegerField(required=False, min_value=1, max_value=90)
    channel_ids = serializers.ListField(
        child=serializers.CharField(max_length=128), required=False, max_length=20, write_only=True
    )
    channels = serializers.SerializerMethodField(method_name="channels_of")
    standing = serializers.SerializerMethodField(method_name="standing_of")

    class Meta:
        model = Objective
        fields = (
            "id", "name", "monitor_id", "request_id", "indicator", "latency_ms", "target", "window_days", "enabled",
            "channel_ids", "channels", "standing", "created_at", "updated_at",
        )  # fmt: skip
        extra_kwargs = {"name": {"validators": []}}  # the database answers: a name that is taken is a conflict

    def channels_of(self, objective: Objective) -> list[dict[str, str]]:
        return [{"id": one.pk, "name": one.name, "type": one.type} for one in objective.channels.order_by("name", "pk")]

    def standing_of(self, objective: Objective) -> dict[str, Any]:
        standing = queries.standings([objective], timezone.now())[0]
        return {
            "good": standing.whole.good,
            "total": standing.whole.total,
            "percent": standing.whole.percent,
            "budgetLeftPercent": standing.left_percent,
            "budgetLeftSec": standing.left_s,
            "burnRates": {formats.duration(window.total_seconds()): standing.rates[window] for window in WINDOWS},
        }

    def validate(self, data: dict[str, Any]) -> dict[str, Any]:
        def now(name: str) -> Any:
            return data.get(name, getattr(self.instance, name, None))

        if (now("monitor_id") is None) == (not now("request_id")):
            raise serializers.ValidationError({"monitorId": ["Name either a monitor or a saved request."]})
        latency = now("indicator") == Indicator.LATENCY
        if latency != (now("latency_ms") is not None):
            words = "Latency needs a limit in milliseconds." if latency else "Only latency has a limit."
            raise serializers.ValidationError({"latencyMs": [words]})
        if data.get("monitor_id") and not Monitor.objects.filter(pk=data["monitor_id"]).exists():
            raise NotFound(f"Monitor '{data['monitor_id']}' not found")
        if data.get("request_id") and not SavedRequest.objects.filter(pk=data["request_id"]).exists():
            raise NotFound(f"Request '{data['request_id']}' not found")
        if "channel_ids" in data:
            data["channels"] = _channels(data.pop("channel_ids"))
        return data

    def create(self, validated_data: dict[str, Any]) -> Objective:
        channels = validated_data.pop("channels", [])
        made = Objective.objects.create(created_by=self.context["request"].auth.user, **validated_data)
        made.channels.set(channels)
        return made

    def update(self, instance: Objective, validated_data: dict[str, Any]) -> Objective:
        channels = validated_data.pop("channels", None)
        before = [getattr(instance, name) for name in COUNTED_BY]
        longer = validated_data.get("window_days", 0) > instance.window_days
        for name, value in validated_data.items():
            setattr(instance, name, value)
        if longer or before != [getattr(instance, name) for name in COUNTED_BY]:
            Tally.objects.filter(objective=instance).delete()
            instance.counted_until = None
        instance.save()
        if channels is not None:
            instance.channels.set(channels)
        return instance


def _channels(wanted: list[str]) -> list[Channel]:
    found = Channel.objects.in_bulk(wanted)
    if missing := [key for key in wanted if key not in found]:
        raise NotFound(f"Channel '{missing[0]}' not found")
    return list(found.values())


class ObjectiveViewSet(HandlingViewSet):
    """What share of checks or requests shall be good, and how fast the rest is used up."""

    queryset = Objective.objects.all()
    serializer_class = ObjectiveSerializer
    list_name, noun, resource = "objectives", "Objective", "objective"

    def get_queryset(self) -> QuerySet[Objective]:
        return queries.objectives()
