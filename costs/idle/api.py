"""Idle instances over HTTP (contract: fleet console §15)."""

from datetime import datetime
from typing import Any

from django.utils import timezone
from drf_spectacular.utils import OpenApiParameter, extend_schema
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response

from config.api.fields import CamelSerializer, milliseconds
from config.api.pagination import integer
from config.api.permissions import VIEWER
from config.api.views import ApiView
from costs.idle.queries import MOST_HOURS, USUAL_HOURS, Idle, idle
from costs.money import wire


class IdleSerializer(CamelSerializer):
    """Beyond the contract: `costKnown` false means that the ledger has no entry, and the cost 0 stands for unknown."""

    instance_id = serializers.CharField()
    instance_name = serializers.CharField()
    provider = serializers.CharField()
    status = serializers.CharField()
    last_activity_at = serializers.DateTimeField(allow_null=True)
    idle_since_hours = serializers.IntegerField()
    estimated_monthly_cost = serializers.FloatField()
    cost_known = serializers.BooleanField()


class IdleListSerializer(CamelSerializer):
    instances = IdleSerializer(many=True)
    threshold_hours = serializers.IntegerField()


class IdleUiSerializer(CamelSerializer):
    """Beyond the contract: `measured` false means that no sample came, and the means 0 stand for unknown."""

    instance_id = serializers.CharField()
    instance_name = serializers.CharField()
    provider = serializers.CharField()
    region = serializers.CharField(allow_null=True)
    status = serializers.CharField()
    idle_since_days = serializers.IntegerField()
    wasted_usd_mo = serializers.FloatField()
    avg_cpu_percent = serializers.FloatField()
    avg_mem_percent = serializers.FloatField()
    measured = serializers.BooleanField()
    cost_known = serializers.BooleanField()


class IdleUiListSerializer(CamelSerializer):
    instances = IdleUiSerializer(many=True)
    total_wasted_usd_mo = serializers.FloatField()


class IdleInstances(ApiView):
    """Instances that nobody used for `thresholdHours`, longest idle first."""

    roles = {"get": VIEWER}

    @extend_schema(parameters=[OpenApiParameter("thresholdHours", int)], responses=IdleListSerializer)
    def get(self, request: Request) -> Response:
        hours, now = integer(request, "thresholdHours", USUAL_HOURS, 1, MOST_HOURS), timezone.now()
        rows = [body(one, now) for one in idle(request.auth, hours=hours, now=now)]
        return Response({"instances": rows, "thresholdHours": hours})


class IdleInstancesForPages(ApiView):
    """Instances that nobody used for 48 hours, with what they waste in a month."""

    roles = {"get": VIEWER}

    @extend_schema(responses=IdleUiListSerializer)
    def get(self, request: Request) -> Response:
        now = timezone.now()
        found = idle(request.auth, hours=USUAL_HOURS, now=now)
        wasted = sum(one.monthly or 0 for one in found)
        return Response({"instances": [page_body(one, now) for one in found], "totalWastedUsdMo": wire(wasted)})


def body(one: Idle, now: datetime) -> dict[str, Any]:
    return {
        "instanceId": one.instance.pk,
        "instanceName": one.instance.name,
        "provider": one.instance.provider,
        "status": one.instance.status,
        "lastActivityAt": milliseconds(one.last_activity_at),
        "idleSinceHours": round(one.hours(now)),
        "estimatedMonthlyCost": wire(one.monthly or 0),
        "costKnown": one.monthly is not None,
    }


def page_body(one: Idle, now: datetime) -> dict[str, Any]:
    used = one.used
    return {
        "instanceId": one.instance.pk,
        "instanceName": one.instance.name,
        "provider": one.instance.provider,
        "region": one.instance.region,
        "status": one.instance.status,
        "idleSinceDays": round(one.hours(now) / 24),
        "wastedUsdMo": wire(one.monthly or 0),
        "avgCpuPercent": round(used.cpu, 2) if used and used.cpu is not None else 0,
        "avgMemPercent": round(used.memory, 2) if used and used.memory is not None else 0,
        "measured": used is not None and used.cpu is not None,
        "costKnown": one.monthly is not None,
    }
