"""Alerts over HTTP (contract: fleet console §9)."""

from datetime import UTC, datetime
from typing import Any

from django import forms
from django_filters import rest_framework as filters
from django_filters.fields import IsoDateTimeField
from rest_framework import serializers
from rest_framework.decorators import action
from rest_framework.request import Request
from rest_framework.response import Response

from alerts.incidents import queries, services
from alerts.incidents.models import Alert, AlertQuerySet, Severity, Status
from alerts.incidents.serializers import AlertSerializer
from config.api.errors import NotFound
from config.api.fields import Body, CamelSerializer
from config.api.permissions import OPERATOR, VIEWER
from config.api.views import FleetViewSet

GONE = "Alert not found or already resolved"


class MomentField(IsoDateTimeField):
    """ISO 8601 that every database can compare with: a moment that exists in UTC."""

    def to_python(self, value: Any) -> datetime | None:
        moment = super().to_python(value)
        try:
            return moment and moment.astimezone(UTC)
        except OverflowError:
            raise forms.ValidationError(self.error_messages["invalid"], code="invalid") from None


class MomentFilter(filters.IsoDateTimeFilter):
    field_class = MomentField


class AlertFilter(filters.FilterSet):
    ruleId = filters.CharFilter(field_name="rule_id", max_length=128)
    instanceId = filters.CharFilter(field_name="instance_id", max_length=128)
    status = filters.ChoiceFilter(choices=Status.choices)
    severity = filters.ChoiceFilter(choices=Severity.choices)
    to = MomentFilter(field_name="fired_at", lookup_expr="lte")

    class Meta:
        model = Alert
        fields = ()


# `from` is a word of Python, so it cannot be declared in the class body.
AlertFilter.base_filters["from"] = MomentFilter(field_name="fired_at", lookup_expr="gte")


class IdsSerializer(Body, CamelSerializer):
    ids = serializers.ListField(child=serializers.CharField(max_length=128), min_length=1, max_length=100)


class AlertViewSet(FleetViewSet):
    """What is or was wrong with instances and monitors."""

    queryset = Alert.objects.all()
    serializer_class = AlertSerializer
    filterset_class = AlertFilter
    list_name = "alerts"
    noun, team_attr = "Alert", "team_id"
    by_team = ("bulk_acknowledge", "bulk_resolve")
    roles = {
        "list": VIEWER, "retrieve": VIEWER, "summary": VIEWER, "acknowledge": OPERATOR, "resolve": OPERATOR,
        "bulk_acknowledge": OPERATOR, "bulk_resolve": OPERATOR,
    }  # fmt: skip

    def get_queryset(self) -> AlertQuerySet:
        return queries.visible(self.request.auth)

    def get_object(self, missing: str = "") -> Alert:
        alert = queries.get_visible(principal=self.request.auth, pk=self.kwargs["pk"], missing=missing)
        self.check_object_permissions(self.request, alert)
        return alert

    def list(self, request: Request) -> Response:
        page = self.paginate_queryset(queries.with_counts(self.filter_queryset(self.get_queryset())))
        return self.get_paginated_response(self.get_serializer(page, many=True).data)

    def retrieve(self, request: Request, pk: str) -> Response:
        return self._whole(self.get_object())

    @action(detail=False)
    def summary(self, request: Request) -> Response:
        return Response(queries.summary(request.auth))

    @action(detail=True, methods=["post"])
    def acknowledge(self, request: Request, pk: str) -> Response:
        alert = self.get_object(missing=GONE)
        if not alert.is_open:
            raise NotFound(GONE)
        return self._whole(services.acknowledge(alert=alert, actor=request.auth, request=request))

    @action(detail=True, methods=["post"])
    def resolve(self, request: Request, pk: str) -> Response:
        return self._whole(services.resolve_by_hand(alert=self.get_object(), actor=request.auth, request=request))

    @action(detail=False, methods=["post"], url_path="bulk-acknowledge")
    def bulk_acknowledge(self, request: Request) -> Response:
        alerts = _chosen(request)
        return Response({"acknowledged": services.acknowledge_many(alerts=alerts, actor=request.auth, request=request)})

    @action(detail=False, methods=["post"], url_path="bulk-resolve")
    def bulk_resolve(self, request: Request) -> Response:
        alerts = _chosen(request)
        return Response({"resolved": services.resolve_many(alerts=alerts, actor=request.auth, request=request)})

    def _whole(self, alert: Alert) -> Response:
        context = {**self.get_serializer_context(), "attempts": queries.attempts(alert)}
        return Response(AlertSerializer(alert, context=context).data)


def _chosen(request: Request) -> list[Alert]:
    body = IdsSerializer(data=request.data)
    body.is_valid(raise_exception=True)
    found = queries.chosen(principal=request.auth, ids=body.validated_data["ids"])
    return [alert for alert in found if request.auth.may(OPERATOR, team_id=alert.team_id)]
