"""Rotations over HTTP (contract: fleet console §23)."""

from datetime import datetime
from typing import Any

from django.utils import timezone
from drf_spectacular.utils import extend_schema
from rest_framework import serializers, status
from rest_framework.request import Request
from rest_framework.response import Response

from config.api.fields import Body, CamelSerializer, MomentField, milliseconds
from config.api.permissions import VIEWER
from config.api.views import ApiView
from fleet.instances.queries import get_visible as visible_instance
from security.rotations import services
from security.rotations.models import Rotation

MOST = 1000  # in one answer; `count` tells how many there are


class FiltersSerializer(serializers.Serializer):
    instanceId = serializers.CharField(required=False, max_length=128)  # noqa: N815 - the wire's name
    overdueOnly = serializers.ChoiceField(choices=("true", "false"), required=False)  # noqa: N815
    page = serializers.IntegerField(required=False, min_value=1, max_value=1_000_000, default=1)
    limit = serializers.IntegerField(required=False, min_value=1, max_value=MOST, default=MOST)


class NewRotationSerializer(Body, CamelSerializer):
    instance_id = serializers.CharField(max_length=128)
    secret_name = serializers.CharField(max_length=256)
    secret_type = serializers.CharField(max_length=64)
    last_rotated = MomentField(required=False, allow_null=True, source="last_rotated_at")
    rotation_days = serializers.IntegerField(required=False, min_value=1, max_value=3650)


class RotationSerializer(CamelSerializer):
    id = serializers.CharField()
    instance_id = serializers.CharField()
    instance_name = serializers.CharField()
    secret_name = serializers.CharField()
    secret_type = serializers.CharField()
    last_rotated = serializers.DateTimeField(allow_null=True)
    next_rotation = serializers.DateTimeField(allow_null=True)
    rotation_days = serializers.IntegerField()
    is_overdue = serializers.BooleanField()
    days_since_rotation = serializers.IntegerField(allow_null=True)


class RotationsSerializer(serializers.Serializer):
    secrets = RotationSerializer(many=True)
    count = serializers.IntegerField()


class EnteredSerializer(CamelSerializer):
    id = serializers.CharField()
    instance_id = serializers.CharField()
    secret_name = serializers.CharField()
    is_overdue = serializers.BooleanField()


class RotatedSerializer(CamelSerializer):
    id = serializers.CharField()
    last_rotated = serializers.DateTimeField()
    is_overdue = serializers.BooleanField()


class Rotations(ApiView):
    """Secrets that have to be rotated, overdue ones first, then those due next."""

    roles = {"get": VIEWER, "post": VIEWER}

    @extend_schema(parameters=[FiltersSerializer], responses=RotationsSerializer)
    def get(self, request: Request) -> Response:
        form = FiltersSerializer(data={name: value for name, value in request.query_params.items() if value})
        form.is_valid(raise_exception=True)
        asked, now = form.validated_data, timezone.now()
        found = Rotation.objects.visible_to(request.auth).current()
        if pk := asked.get("instanceId"):
            found = Rotation.objects.filter(instance=visible_instance(instance_id=pk, principal=request.auth))
        if asked.get("overdueOnly") == "true":
            found = found.overdue(now)
        begin = (asked["page"] - 1) * asked["limit"]
        rows = found.select_related("instance").most_urgent_first()[begin : begin + asked["limit"]]
        return Response({"secrets": [rotation_body(one, now) for one in rows], "count": found.count()})

    @extend_schema(request=NewRotationSerializer, responses={201: EnteredSerializer})
    def post(self, request: Request) -> Response:
        """New, or a change of the one with that name on the instance: what is not sent stays as it was."""
        form, now = NewRotationSerializer(data=request.data), timezone.now()
        form.is_valid(raise_exception=True)
        fields = dict(form.validated_data)
        instance = visible_instance(instance_id=fields.pop("instance_id"), principal=request.auth)
        rotation = services.enter(instance=instance, actor=request.auth, now=now, request=request, **fields)
        body = {
            "id": rotation.pk,
            "instanceId": rotation.instance_id,
            "secretName": rotation.secret_name,
            "isOverdue": rotation.is_overdue(now),
        }
        return Response(body, status=status.HTTP_201_CREATED)


class Rotate(ApiView):
    """Note that a secret was rotated now."""

    roles = {"post": VIEWER}

    @extend_schema(request=None, responses=RotatedSerializer)
    def post(self, request: Request, id: str) -> Response:
        rotation, now = services.get_visible(principal=request.auth, pk=id), timezone.now()
        services.rotate(rotation=rotation, actor=request.auth, now=now, request=request)
        return Response({"id": rotation.pk, "lastRotated": milliseconds(now), "isOverdue": False})


def rotation_body(rotation: Rotation, now: datetime) -> dict[str, Any]:
    """A rotation as it travels."""
    return {
        "id": rotation.pk,
        "instanceId": rotation.instance_id,
        "instanceName": rotation.instance.name,
        "secretName": rotation.secret_name,
        "secretType": rotation.secret_type,
        "lastRotated": milliseconds(rotation.last_rotated_at),
        "nextRotation": milliseconds(rotation.due_at),
        "rotationDays": rotation.rotation_days,
        "isOverdue": rotation.is_overdue(now),
        "daysSinceRotation": rotation.days_since(now),
    }
