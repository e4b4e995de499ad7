"""Instances over HTTP (contract: fleet console §4, §5, §7)."""

from typing import Any

from django.db.models import QuerySet
from django_filters import rest_framework as filters
from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import extend_schema
from rest_framework import serializers, status
from rest_framework.decorators import action
from rest_framework.request import Request
from rest_framework.response import Response

from config.api.fields import FleetSerializer, milliseconds
from config.api.pagination import integer
from config.api.permissions import OPERATOR, VIEWER
from config.api.views import FleetViewSet
from fleet.instances import queries, services
from fleet.instances.bodies import ChangeSerializer, RegistrationSerializer, read_registration
from fleet.instances.models import Distro, Instance, Provider, Status
from fleet.instances.registration import register
from fleet.lifecycle.bodies import DestroySerializer
from fleet.lifecycle.destroying import remove


class InstanceSerializer(FleetSerializer):
    team_id = serializers.CharField(read_only=True, allow_null=True)
    online = serializers.BooleanField(read_only=True)
    last_heartbeat = serializers.SerializerMethodField(method_name="heartbeat_of")

    class Meta:
        model = Instance
        fields = (
            "id", "name", "provider", "region", "distro", "extensions", "config_hash", "ssh_endpoint", "status",
            "created_at", "updated_at", "team_id", "tags", "agent_version", "sindri_version", "cli_target", "online",
            "last_seen_at", "last_heartbeat",
        )  # fmt: skip

    def heartbeat_of(self, instance: Instance) -> dict[str, Any] | None:
        return queries.heartbeat(instance)


class InstanceFilter(filters.FilterSet):
    provider = filters.ChoiceFilter(choices=Provider.choices)
    status = filters.ChoiceFilter(choices=Status.choices)
    region = filters.CharFilter(max_length=64)
    distro = filters.ChoiceFilter(choices=Distro.choices)
    search = filters.CharFilter(method="filter_search", max_length=256)

    class Meta:
        model = Instance
        fields = ("provider", "status", "region", "distro", "search")

    def filter_search(self, queryset: Any, name: str, value: str) -> Any:
        return queries.search(queryset, value)


class InstanceViewSet(FleetViewSet):
    """The machines of the fleet."""

    queryset = Instance.objects.all()
    serializer_class = InstanceSerializer
    filterset_class = InstanceFilter
    list_name = "instances"
    noun, team_attr = "Instance", "team_id"
    roles = {
        "list": VIEWER, "create": VIEWER, "retrieve": VIEWER, "destroy": OPERATOR, "partial_update": OPERATOR,
        "processes": VIEWER, "extensions": VIEWER, "events": VIEWER,
    }  # fmt: skip

    @property
    def rate_class(self) -> str | None:
        """Registration is ingest: it has no limit by count (contract: fleet console §1.8)."""
        return None if self.action == "create" else "by method"

    def get_queryset(self) -> QuerySet[Instance]:
        return Instance.objects.visible_to(self.request.auth).order_by("-created_at", "-id")

    def get_object(self) -> Instance:
        instance = queries.get_visible(instance_id=self.kwargs["pk"], principal=self.request.auth)
        self.check_object_permissions(self.request, instance)
        return instance

    def list(self, request: Request) -> Response:
        page = self.paginate_queryset(self.filter_queryset(self.get_queryset()))
        return self.get_paginated_response(self.get_serializer(page, many=True).data)

    @extend_schema(request=RegistrationSerializer)
    def create(self, request: Request) -> Response:
        registration = read_registration(request.data)
        instance = register(registration=registration, principal=request.auth, request=request)
        return Response(self.get_serializer(instance).data, status=status.HTTP_201_CREATED)

    def retrieve(self, request: Request, pk: str) -> Response:
        return Response(self.get_serializer(self.get_object()).data)

    @extend_schema(request=ChangeSerializer)
    def partial_update(self, request: Request, pk: str) -> Response:
        instance = self.get_object()
        body = ChangeSerializer(data=request.data)
        body.is_valid(raise_exception=True)
        instance = services.change(instance=instance, actor=request.auth, request=request, **body.validated_data)
        return Response(self.get_serializer(instance).data)

    @extend_schema(request=DestroySerializer, responses=OpenApiTypes.OBJECT)
    def destroy(self, request: Request, pk: str) -> Response:
        """Deregister; a body with backupVolume or backupLabel asks for a teardown instead."""
        return Response(remove(self.get_object(), request.data, actor=request.auth, request=request))

    @extend_schema(responses=OpenApiTypes.OBJECT)
    @action(detail=True)
    def processes(self, request: Request, pk: str) -> Response:
        """The busiest processes, as its agent reported them; snake_case."""
        instance = self.get_object()
        rows, reported_at = queries.processes(instance)
        return Response(
            {
                "instance_id": instance.pk,
                "timestamp": milliseconds(reported_at),
                "processes": rows,
            }
        )

    @extend_schema(responses=OpenApiTypes.OBJECT)
    @action(detail=True)
    def extensions(self, request: Request, pk: str) -> Response:
        instance = self.get_object()
        panel = queries.extensions(instance)
        return Response({"instanceId": instance.pk, "instanceStatus": instance.status, "extensions": panel})

    @extend_schema(responses=OpenApiTypes.OBJECT)
    @action(detail=True)
    def events(self, request: Request, pk: str) -> Response:
        """What happened to the instance, newest first."""
        instance = self.get_object()
        rows = [
            {"id": row.pk, "type": row.type, "timestamp": milliseconds(row.timestamp), "metadata": row.metadata}
            for row in queries.events(instance, limit=integer(request, "limit", 50, 1, 100))
        ]
        return Response({"instanceId": instance.pk, "events": rows})
