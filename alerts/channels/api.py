"""Notification channels over HTTP (contract: fleet console §11)."""

from typing import Any

from django.db.models import QuerySet
from rest_framework import serializers, status
from rest_framework.decorators import action
from rest_framework.request import Request
from rest_framework.response import Response

from alerts.channels import configs, queries, services
from alerts.channels.models import Channel, ChannelType
from config.api.fields import Body, CamelSerializer, FleetSerializer
from config.api.permissions import OPERATOR, VIEWER
from config.api.views import FleetViewSet


class ChannelSerializer(FleetSerializer):
    """`config` without its secrets. `monitorAlerts`: alerts of monitors come here too."""

    config = serializers.SerializerMethodField(method_name="config_of")
    created_by = serializers.CharField(source="created_by_id", read_only=True, allow_null=True)
    rule_count = serializers.IntegerField(read_only=True, default=0)

    class Meta:
        model = Channel
        fields = (
            "id", "name", "type", "config", "enabled", "created_by", "created_at", "updated_at", "rule_count",
            "monitor_alerts", "notify_resolved",
        )  # fmt: skip

    def config_of(self, channel: Channel) -> dict[str, Any]:
        return configs.masked(channel.type, channel.config)


class NewChannelSerializer(Body, CamelSerializer):
    name = configs.Text(max_length=128)
    type = serializers.ChoiceField(choices=ChannelType.choices)
    config = serializers.DictField()
    enabled = serializers.BooleanField(required=False)
    monitor_alerts = serializers.BooleanField(required=False)
    notify_resolved = serializers.BooleanField(required=False)


class ChannelChangeSerializer(NewChannelSerializer):
    name = configs.Text(max_length=128, required=False)
    type = serializers.ChoiceField(choices=ChannelType.choices, required=False)
    config = serializers.DictField(required=False)

    def validate_type(self, value: str) -> str:
        if value != self.context["channel"].type:
            raise serializers.ValidationError("The type of a channel cannot change; make a new channel.")
        return value


class ChannelViewSet(FleetViewSet):
    """Ways to tell people of alerts."""

    queryset = Channel.objects.all()
    serializer_class = ChannelSerializer
    filter_backends = ()
    noun = "Channel"
    roles = {
        "list": VIEWER, "retrieve": VIEWER, "create": OPERATOR, "update": OPERATOR, "destroy": OPERATOR,
        "test": OPERATOR,
    }  # fmt: skip

    def get_queryset(self) -> QuerySet[Channel]:
        return queries.all_channels()

    def get_object(self) -> Channel:
        return queries.get_channel(self.kwargs["pk"])

    def list(self, request: Request) -> Response:
        channels = self.get_queryset()[: queries.MOST]
        return Response({"channels": self.get_serializer(channels, many=True).data})

    def create(self, request: Request) -> Response:
        body = NewChannelSerializer(data=request.data)
        body.is_valid(raise_exception=True)
        channel = services.create_channel(actor=request.auth, request=request, **body.validated_data)
        return Response(self.get_serializer(channel).data, status=status.HTTP_201_CREATED)

    def retrieve(self, request: Request, pk: str) -> Response:
        return Response(self.get_serializer(self.get_object()).data)

    def update(self, request: Request, pk: str) -> Response:
        channel = self.get_object()
        body = ChannelChangeSerializer(data=request.data, context={"channel": channel})
        body.is_valid(raise_exception=True)
        services.change_channel(channel=channel, actor=request.auth, request=request, **body.validated_data)
        return Response(self.get_serializer(channel).data)

    def destroy(self, request: Request, pk: str) -> Response:
        channel = self.get_object()
        services.delete_channel(channel=channel, actor=request.auth, request=request)
        return Response({"message": "Channel deleted", "id": channel.pk, "name": channel.name})

    @action(detail=True, methods=["post"])
    def test(self, request: Request, pk: str) -> Response:
        """Deliver a test message now; `answer` is what the other side said."""
        outcome = services.send_test(channel=self.get_object(), actor=request.auth, request=request)
        body: dict[str, Any] = {"success": outcome.success, "durationMs": outcome.duration_ms}
        return Response(body | ({"answer": outcome.answer} if outcome.success else {"error": outcome.answer}))
