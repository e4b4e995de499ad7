"""Providers and their catalogs over HTTP (contract: fleet console §26). Members are in snake_case."""

from decimal import Decimal
from typing import Any

from django.utils import timezone
from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import OpenApiParameter, extend_schema
from rest_framework.request import Request
from rest_framework.response import Response

from config.api.errors import Invalid, Malformed
from config.api.fields import milliseconds
from config.api.permissions import ADMIN, VIEWER
from config.api.views import ApiView
from costs.catalog import queries
from costs.money import wire
from costs.pricing import services as pricing

MOST_GB = Decimal(10_000_000)
REGION = OpenApiParameter("region", OpenApiTypes.STR, description="a region's id")
MACHINE = [
    OpenApiParameter("size_id", OpenApiTypes.STR, required=True),
    OpenApiParameter("disk_gb", OpenApiTypes.NUMBER, description="20 without it"),
    OpenApiParameter("egress_gb", OpenApiTypes.NUMBER, description="10 without it"),
    REGION,
]


class Providers(ApiView):
    """The providers that there are."""

    roles = {"get": VIEWER}

    @extend_schema(responses=OpenApiTypes.OBJECT)
    def get(self, request: Request) -> Response:
        return Response({"providers": queries.providers()})


class Availability(ApiView):
    """Which of them can be deployed to now."""

    roles = {"get": VIEWER}

    @extend_schema(responses=OpenApiTypes.OBJECT)
    def get(self, request: Request) -> Response:
        return Response({"availability": queries.availability()})


class Regions(ApiView):
    """Where a provider has machines."""

    roles = {"get": VIEWER}

    @extend_schema(responses=OpenApiTypes.OBJECT)
    def get(self, request: Request, provider: str) -> Response:
        return Response({"regions": queries.regions(provider)})


class Catalog(ApiView):
    """The sizes of a provider's machines with their prices."""

    roles = {"get": VIEWER}

    @extend_schema(parameters=[REGION], responses=OpenApiTypes.OBJECT)
    def get(self, request: Request, provider: str) -> Response:
        return Response(queries.catalog(provider, _region(request)))


class CatalogEstimate(ApiView):
    """What a machine would cost a month."""

    roles = {"get": VIEWER}

    @extend_schema(parameters=MACHINE, responses=OpenApiTypes.OBJECT)
    def get(self, request: Request, provider: str) -> Response:
        queries.check_provider(provider)
        size_id = request.query_params.get("size_id")
        if not size_id:
            raise Malformed("size_id is required")
        found = queries.estimate(
            provider,
            size_id,
            disk_gb=_gigabytes(request, "disk_gb", 20),
            egress_gb=_gigabytes(request, "egress_gb", 10),
            region=_region(request),
        )
        parts = {name: wire(getattr(found, name)) for name in ("compute", "storage", "network", "total")}
        return Response(parts | {"currency": "USD"})


class CatalogRefresh(ApiView):
    """Read the price files again. Prices come from tables, so nobody outside is asked."""

    roles = {"post": ADMIN}

    @extend_schema(parameters=[REGION], request=None, responses=OpenApiTypes.OBJECT)
    def post(self, request: Request, provider: str) -> Response:
        queries.check_provider(provider)
        region = _region(request)
        pricing.read_files_again(provider=provider, actor=request.auth, request=request)
        found = queries.catalog(provider, region)
        return Response(
            {
                "message": "The price table was read again",
                "provider": provider,
                "sizes_count": len(found["sizes"]),
                "source": found["source"],
                "fetched_at": milliseconds(timezone.now()),
            }
        )


def _region(request: Request) -> str | None:
    region = request.query_params.get("region") or None
    if region is not None and (len(region) > 64 or "\x00" in region):
        raise _invalid("region", "A region has at most 64 characters")
    return region


def _gigabytes(request: Request, name: str, usual: int) -> Decimal:
    text: Any = request.query_params.get(name, "").strip()
    if not text:
        return Decimal(usual)
    try:
        value = Decimal(text)
    except ArithmeticError:
        value = Decimal(-1)
    if not (value.is_finite() and 0 <= value <= MOST_GB):
        raise _invalid(name, f"{name} must be a number from 0 to {MOST_GB}")
    return value


def _invalid(field: str, sentence: str) -> Invalid:
    return Invalid(sentence, details={field: [sentence]})
