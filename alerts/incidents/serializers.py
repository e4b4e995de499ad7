"""An alert as clients of the fleet console know it (contract: fleet console §9); also what `/ws` carries."""

from typing import Any

from rest_framework import serializers

from alerts.channels.models import Attempt, Channel
from alerts.incidents.models import Alert
from config.api.fields import FleetSerializer


class ChannelNameSerializer(FleetSerializer):
    class Meta:
        model = Channel
        fields = ("id", "name", "type")


class AttemptSerializer(FleetSerializer):
    """One try to deliver."""

    channel = ChannelNameSerializer(source="notification.channel", read_only=True)

    class Meta:
        model = Attempt
        fields = ("id", "sent_at", "success", "error", "channel")


class AlertSerializer(FleetSerializer):
    """`notifications` is filled in for details, `notification_count` in lists; both are null elsewhere."""

    rule_id = serializers.CharField(read_only=True, allow_null=True)
    instance_id = serializers.CharField(read_only=True, allow_null=True)
    monitor_id = serializers.UUIDField(read_only=True, allow_null=True)
    rule = serializers.SerializerMethodField(method_name="rule_of")
    notifications = serializers.SerializerMethodField(method_name="notifications_of")
    notification_count = serializers.SerializerMethodField(method_name="count_of")

    class Meta:
        model = Alert
        fields = (
            "id", "rule_id", "instance_id", "status", "severity", "title", "message", "metadata", "fired_at",
            "acknowledged_at", "acknowledged_by", "resolved_at", "resolved_by", "dedupe_key", "rule", "notifications",
            "notification_count", "source", "monitor_id", "run_id", "occurrences", "note",
        )  # fmt: skip

    def rule_of(self, alert: Alert) -> dict[str, Any] | None:
        rule = alert.rule
        return {"id": rule.pk, "name": rule.name, "type": rule.type, "severity": rule.severity} if rule else None

    def notifications_of(self, alert: Alert) -> list[dict[str, Any]] | None:
        attempts = self.context.get("attempts")
        return None if attempts is None else list(AttemptSerializer(attempts, many=True).data)

    def count_of(self, alert: Alert) -> int | None:
        return getattr(alert, "notification_count", None)
