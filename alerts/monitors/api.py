"""Alerts of monitors as clients of the monitors API know them (contract: monitors §6)."""

from typing import Any

from django_filters import rest_framework as filters
from rest_framework import serializers
from rest_framework.decorators import action
from rest_framework.request import Request
from rest_framework.response import Response

from alerts.incidents import queries, services
from alerts.incidents.models import Alert, AlertQuerySet, Severity, Source, Status
from config.api.errors import NotFound
from config.api.fields import CamelSerializer, MonitorsSerializer, SecondsField
from config.api.permissions import OPERATOR, VIEWER
from config.api.views import MonitorsViewSet
from monitors.bodies import PARSERS, refuse_large
from monitors.paths import known_uuid

STATUSES = {
    Status.ACTIVE: "open",
    Status.SILENCED: "open",
    Status.ACKNOWLEDGED: "acknowledged",
    Status.RESOLVED: "resolved",
}
WORDS = [(word, word) for word in dict.fromkeys(STATUSES.values())]


class MonitorAlertSerializer(MonitorsSerializer):
    id = serializers.UUIDField(source="uuid", read_only=True)
    monitor_id = serializers.UUIDField(read_only=True)
    monitor_name = serializers.CharField(source="monitor.name", read_only=True)
    severity = serializers.SerializerMethodField(method_name="severity_of")
    status = serializers.SerializerMethodField(method_name="status_of")
    created_at = SecondsField(source="fired_at", read_only=True)
    acknowledged_by = serializers.CharField(source="acknowledged_by_name", read_only=True)
    note = serializers.SerializerMethodField(method_name="note_of")

    class Meta:
        model = Alert
        fields = (
            "id", "monitor_id", "monitor_name", "run_id", "last_run_id", "type", "severity", "status", "message",
            "breaches", "occurrences", "created_at", "acknowledged_at", "acknowledged_by", "note", "resolved_at",
            "resolved_by_run_id",
        )  # fmt: skip

    def severity_of(self, alert: Alert) -> str:
        return "critical" if alert.severity == Severity.CRITICAL else "warning"

    def status_of(self, alert: Alert) -> str:
        return STATUSES[Status(alert.status)]

    def note_of(self, alert: Alert) -> str | None:
        return alert.note or None


class NoteSerializer(CamelSerializer):
    note = serializers.CharField(required=False, allow_null=True, allow_blank=True, max_length=2000)

    def to_internal_value(self, data: Any) -> Any:
        """A note is text; DRF would take a number for one."""
        if isinstance(data, dict) and not isinstance(data.get("note"), str | None):
            raise serializers.ValidationError({"note": ["note must be a string of up to 2000 characters"]})
        return super().to_internal_value(data)


class MonitorAlertFilter(filters.FilterSet):
    monitorId = filters.CharFilter(method="of_monitor")
    status = filters.ChoiceFilter(
        choices=[(word, word) for word in dict.fromkeys(STATUSES.values())], method="with_status"
    )

    class Meta:
        model = Alert
        fields = ()

    def of_monitor(self, alerts: AlertQuerySet, name: str, value: str) -> AlertQuerySet:
        return alerts.filter(monitor_id=known_uuid(value, "Monitor"))

    def with_status(self, alerts: AlertQuerySet, name: str, value: str) -> AlertQuerySet:
        return alerts.filter(status__in=[status for status, word in STATUSES.items() if word == value])


class MonitorAlertViewSet(MonitorsViewSet):
    """What is or was wrong with monitors."""

    queryset = Alert.objects.all()
    serializer_class = MonitorAlertSerializer
    filterset_class = MonitorAlertFilter
    parser_classes = PARSERS
    default_limit = 50
    noun = "Alert"
    roles = {"list": VIEWER, "retrieve": VIEWER, "acknowledge": OPERATOR}

    def initial(self, request: Request, *args: Any, **kwargs: Any) -> None:
        super().initial(request, *args, **kwargs)
        refuse_large(request)

    def get_queryset(self) -> AlertQuerySet:
        return queries.visible(self.request.auth).filter(source=Source.MONITOR)

    def get_object(self) -> Alert:
        key = known_uuid(self.kwargs["pk"], self.noun)
        alert = self.get_queryset().filter(uuid=key).first()
        if alert is None:
            raise NotFound(f"Alert '{key}' not found")
        return alert

    def list(self, request: Request) -> Response:
        page = self.paginate_queryset(self.filter_queryset(self.get_queryset()))
        return self.get_paginated_response(self.get_serializer(page, many=True).data)

    def retrieve(self, request: Request, pk: str) -> Response:
        return Response(self.get_serializer(self.get_object()).data)

    @action(detail=True, methods=["post"])
    def acknowledge(self, request: Request, pk: str) -> Response:
        alert = self.get_object()
        body = NoteSerializer(data=request.data)
        body.is_valid(raise_exception=True)
        note = body.validated_data.get("note")
        alert = services.acknowledge(alert=alert, actor=request.auth, note=note, request=request)
        return Response(self.get_serializer(alert).data)
