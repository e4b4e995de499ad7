"""Instances over HTTP (contract: fleet console §4, §5, §7)."""

import re
from typing import Any

from django.db.models import QuerySet
from django_filters import rest_framework as filters
from rest_framework import serializers, status
from rest_framework.decorators import action
from rest_framework.request import Request
from rest_framework.response import Response

from config.api.errors import Invalid
from config.api.fields import CamelSerializer, FleetSerializer, milliseconds
from config.api.pagination import integer
from config.api.permissions import OPERATOR, VIEWER
from config.api.views import FleetViewSet
from fleet.instances import queries, services
from fleet.instances.models import Distro, Instance, Provider, Status
from fleet.instances.registration import Registration, register

NAME = re.compile(r"[a-z0-9]([a-z0-9-]*[a-z0-9])?")
HASH = re.compile(r"[0-9a-f]{64}")
MAX_EXTENSIONS, MAX_TAGS = 200, 200


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


def _tags(**more: Any) -> serializers.DictField:
    return serializers.DictField(child=serializers.CharField(max_length=256, allow_blank=True), **more)


class Carried(CamelSerializer):
    """A body whose empty and null optional values count as not sent."""

    def to_internal_value(self, data: Any) -> Any:
        if isinstance(data, dict):
            data = {name: value for name, value in data.items() if value is not None and value != ""}
        return super().to_internal_value(data)

    def validate_tags(self, tags: dict[str, str]) -> dict[str, str]:
        if len(tags) > MAX_TAGS or any(len(name) > 128 or "\x00" in name for name in tags):
            raise serializers.ValidationError(f"Give at most {MAX_TAGS} tags with names of at most 128 characters.")
        return tags


class GeoSerializer(serializers.Serializer):
    lat = serializers.FloatField(min_value=-90, max_value=90, required=False, allow_null=True)
    lon = serializers.FloatField(min_value=-180, max_value=180, required=False, allow_null=True)
    city = serializers.CharField(max_length=128, required=False, allow_null=True, allow_blank=True)
    source = serializers.CharField(max_length=32, required=False, allow_null=True, allow_blank=True)


class RegistrationSerializer(Carried):
    name = serializers.RegexField(NAME.pattern + r"\Z", max_length=128)
    provider = serializers.ChoiceField(Provider.choices)
    region = serializers.CharField(max_length=64, required=False)
    distro = serializers.ChoiceField(Distro.choices, required=False)
    extensions = serializers.ListField(
        child=serializers.CharField(max_length=128), max_length=MAX_EXTENSIONS, required=False
    )
    config_hash = serializers.RegexField(HASH.pattern + r"\Z", required=False)
    ssh_endpoint = serializers.CharField(max_length=256, required=False)
    tags = _tags(required=False)
    geo = GeoSerializer(required=False)

    def registration(self) -> Registration:
        given = dict(self.validated_data)
        geo = given.pop("geo", None)
        return Registration(name=given.pop("name"), given=given, geo=geo)


class AgentRegistrationSerializer(Carried):
    """What an agent sends; its members are in snake_case."""

    instance_id = serializers.CharField(max_length=128)
    provider = serializers.ChoiceField(Provider.choices)
    hostname = serializers.CharField(max_length=256, required=False)
    region = serializers.CharField(max_length=64, required=False)
    distro = serializers.ChoiceField(Distro.choices, required=False)
    agent_version = serializers.CharField(max_length=64, required=False)
    os = serializers.CharField(max_length=32, required=False)
    arch = serializers.CharField(max_length=32, required=False)
    extensions = serializers.ListField(
        child=serializers.CharField(max_length=128), max_length=MAX_EXTENSIONS, required=False
    )
    tags = _tags(required=False)
    geo = GeoSerializer(required=False)

    get_fields = serializers.Serializer.get_fields  # the wire names are the field names

    def to_internal_value(self, data: Any) -> Any:
        if isinstance(data, dict) and data.get("provider") == "k8s":
            data = data | {"provider": Provider.KUBERNETES}
        return super().to_internal_value(data)

    def registration(self) -> Registration:
        given = dict(self.validated_data)
        agent_id, geo = given.pop("instance_id"), given.pop("geo", None)
        return Registration(name=given.pop("hostname", agent_id), agent_id=agent_id, given=given, geo=geo)


def read_registration(data: Any) -> Registration:
    """The body in whichever of the two shapes it has; raises Invalid with the faults of the nearer one."""
    named, agent = RegistrationSerializer(data=data), AgentRegistrationSerializer(data=data)
    if named.is_valid():
        return named.registration()
    if agent.is_valid():
        return agent.registration()
    faulty = agent if isinstance(data, dict) and "instance_id" in data else named
    raise serializers.ValidationError(faulty.errors)


class ChangeSerializer(CamelSerializer):
    status = serializers.ChoiceField([Status.RUNNING, Status.SUSPENDED, Status.STOPPED], required=False)
    tags = _tags(required=False)
    team_id = serializers.CharField(max_length=128, required=False, allow_null=True)

    validate_tags = Carried.validate_tags


class InstanceViewSet(FleetViewSet):
    """The machines of the fleet."""

    queryset = Instance.objects.all()
    serializer_class = InstanceSerializer
    filterset_class = InstanceFilter
    list_name = "instances"
    noun, team_attr = "Instance", "team_id"
    roles = {
        "list": VIEWER, "create": VIEWER, "retrieve": VIEWER, "destroy": OPERATOR, "partial_update": OPERATOR,
        "suspend": OPERATOR, "resume": OPERATOR, "lifecycle": VIEWER, "processes": VIEWER, "extensions": VIEWER,
        "events": VIEWER,
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

    def create(self, request: Request) -> Response:
        registration = read_registration(request.data)
        instance = register(registration=registration, principal=request.auth, request=request)
        return Response(self.get_serializer(instance).data, status=status.HTTP_201_CREATED)

    def retrieve(self, request: Request, pk: str) -> Response:
        return Response(self.get_serializer(self.get_object()).data)

    def partial_update(self, request: Request, pk: str) -> Response:
        instance = self.get_object()
        body = ChangeSerializer(data=request.data)
        body.is_valid(raise_exception=True)
        instance = services.change(instance=instance, actor=request.auth, request=request, **body.validated_data)
        return Response(self.get_serializer(instance).data)

    def destroy(self, request: Request, pk: str) -> Response:
        """Deregister; a body with backupVolume or backupLabel asks for a teardown instead."""
        instance, body = self.get_object(), request.data
        if not isinstance(body, dict):
            raise Invalid("The body must be an object")
        if {"backupVolume", "backupLabel"} & set(body):
            services.destroy(instance=instance, actor=request.auth, request=request)
        instance = services.deregister(instance=instance, actor=request.auth, request=request)
        return Response(_moved("Instance deregistered", instance) | {"backupId": None})

    @action(detail=True, methods=["post"])
    def suspend(self, request: Request, pk: str) -> Response:
        instance = services.suspend(instance=self.get_object(), actor=request.auth, request=request)
        return Response(_moved("Instance suspended. The machine itself keeps running.", instance))

    @action(detail=True, methods=["post"])
    def resume(self, request: Request, pk: str) -> Response:
        instance = services.resume(instance=self.get_object(), actor=request.auth, request=request)
        return Response(_moved("Instance resumed", instance))

    @action(detail=True)
    def lifecycle(self, request: Request, pk: str) -> Response:
        instance = self.get_object()
        return Response(
            {
                "instanceId": instance.pk,
                "status": instance.status,
                "availableActions": services.available_actions(instance),
            }
        )

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

    @action(detail=True)
    def extensions(self, request: Request, pk: str) -> Response:
        instance = self.get_object()
        panel = queries.extensions(instance)
        return Response({"instanceId": instance.pk, "instanceStatus": instance.status, "extensions": panel})

    @action(detail=True)
    def events(self, request: Request, pk: str) -> Response:
        """What happened to the instance, newest first."""
        instance = self.get_object()
        rows = [
            {"id": row.pk, "type": row.type, "timestamp": milliseconds(row.timestamp), "metadata": row.metadata}
            for row in queries.events(instance, limit=integer(request, "limit", 50, 1, 100))
        ]
        return Response({"instanceId": instance.pk, "events": rows})


def _moved(message: str, instance: Instance) -> dict[str, Any]:
    return {"message": message, "id": instance.pk, "name": instance.name, "status": instance.status}
