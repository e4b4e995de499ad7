"""The driver of an instance over HTTP; for administrators, since commands and places of backups stand there."""

from typing import Any

from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import extend_schema
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response

from config.api.errors import Invalid
from config.api.fields import Body, CamelSerializer
from config.api.permissions import ADMIN
from config.api.views import ApiView
from fleet.instances import queries
from fleet.instances.models import Instance
from fleet.providers import services


class BindingSerializer(Body, CamelSerializer):
    driver = serializers.CharField(max_length=16)
    target = serializers.CharField(max_length=256, required=False, allow_blank=True, default="")
    options = serializers.DictField(required=False, default=dict)


class InstanceDriver(ApiView):
    """Read, set and take away the binding of an instance to a driver."""

    roles = {"get": ADMIN, "put": ADMIN, "delete": ADMIN}

    @extend_schema(responses=OpenApiTypes.OBJECT)
    def get(self, request: Request, id: str) -> Response:
        return Response(_shown(queries.get_visible(instance_id=id, principal=request.auth)))

    @extend_schema(request=BindingSerializer, responses=OpenApiTypes.OBJECT)
    def put(self, request: Request, id: str) -> Response:
        instance = queries.get_visible(instance_id=id, principal=request.auth)
        if not isinstance(request.data, dict):
            raise Invalid("The body must be an object")
        body = BindingSerializer(data=request.data)
        body.is_valid(raise_exception=True)
        services.bind(instance=instance, actor=request.auth, request=request, **body.validated_data)
        return Response(_shown(instance))

    @extend_schema(responses=OpenApiTypes.OBJECT)
    def delete(self, request: Request, id: str) -> Response:
        instance = queries.get_visible(instance_id=id, principal=request.auth)
        services.unbind(instance=instance, actor=request.auth, request=request)
        return Response(_shown(instance))


def _shown(instance: Instance) -> dict[str, Any]:
    """The binding, or null, and the driver that is used now with what it can do."""
    return {"instanceId": instance.pk, "binding": services.describe(instance), "inUse": services.in_use(instance)}
