"""Deployments over HTTP (contract: fleet console §13)."""

from typing import Any

from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import extend_schema
from rest_framework import serializers
from rest_framework.response import Response

from config.api.pagination import PagePagination
from config.api.permissions import VIEWER
from config.api.views import ApiView
from fleet.deployments import queries
from fleet.deployments.models import Status


class DeploymentFilters(serializers.Serializer):
    instanceId = serializers.CharField(required=False, max_length=128)  # noqa: N815 - the wire's name
    status = serializers.ChoiceField(choices=Status.choices, required=False)


class Deployments(ApiView):
    """Deployments of the instances that the caller may see, newest first."""

    roles = {"get": VIEWER}
    list_name = "deployments"

    @extend_schema(parameters=[DeploymentFilters], responses=OpenApiTypes.OBJECT)
    def get(self, request: Any) -> Response:
        given = {
            name: request.query_params[name] for name in DeploymentFilters().fields if request.query_params.get(name)
        }
        form = DeploymentFilters(data=given)
        form.is_valid(raise_exception=True)
        named = form.validated_data
        rows = queries.visible(request.auth, instance_id=named.get("instanceId", ""), status=named.get("status", ""))
        pages = PagePagination()
        page = pages.paginate_queryset(rows, request, self)
        return pages.get_paginated_response([queries.shown(one, request.auth) for one in page])


class OneDeployment(ApiView):
    """One deployment, at the top level and under `deployment`: some clients read the one, some the other."""

    roles = {"get": VIEWER}

    @extend_schema(responses=OpenApiTypes.OBJECT)
    def get(self, request: Any, id: str) -> Response:
        told = queries.shown(queries.get_visible(deployment_id=id, principal=request.auth), request.auth)
        return Response({**told, "deployment": told})
