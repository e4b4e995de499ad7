"""The fleet at a glance over HTTP (contract: fleet console §3). Members are in snake_case."""

from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import extend_schema
from rest_framework.request import Request
from rest_framework.response import Response

from config.api.permissions import VIEWER
from config.api.views import ApiView
from fleet.overview import queries


class FleetStats(ApiView):
    """Counts by status, provider and distribution."""

    roles = {"get": VIEWER}

    @extend_schema(responses=OpenApiTypes.OBJECT)
    def get(self, request: Request) -> Response:
        return Response(queries.stats(principal=request.auth))


class FleetGeo(ApiView):
    """Where instances are, as pins for a map."""

    roles = {"get": VIEWER}

    @extend_schema(responses=OpenApiTypes.OBJECT)
    def get(self, request: Request) -> Response:
        return Response({"pins": queries.pins(principal=request.auth)})


class FleetDeployments(ApiView):
    """Deployments of the last 24 hours."""

    roles = {"get": VIEWER}

    @extend_schema(responses=OpenApiTypes.OBJECT)
    def get(self, request: Request) -> Response:
        return Response(queries.deployments())
