"""Price tables over HTTP (contract: fleet console §15; reading and replacing one is ours)."""

import json
from typing import Any

from django.core.serializers.json import DjangoJSONEncoder
from django.utils import timezone
from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import extend_schema
from rest_framework import status
from rest_framework.request import Request
from rest_framework.response import Response

from config.api.errors import NotFound
from config.api.fields import milliseconds
from config.api.permissions import ADMIN, VIEWER
from config.api.views import ApiView
from costs.pricing import queries, services
from costs.pricing.models import PriceList
from costs.pricing.shapes import PROVIDERS, TableSerializer
from costs.pricing.tables import PriceTable

VERSIONS = 50


class Pricing(ApiView):
    """The prices that hold today."""

    roles = {"get": VIEWER}

    @extend_schema(responses=OpenApiTypes.OBJECT)
    def get(self, request: Request) -> Response:
        tables = queries.tables_on(timezone.now().date())
        return Response({"providers": {name: _pricing(tables[name]) for name in PROVIDERS if name in tables}})


class ProviderPricing(ApiView):
    """The table of one provider as a document, with the versions that were put in; an administrator replaces it."""

    roles = {"get": VIEWER, "put": ADMIN}

    @extend_schema(responses=OpenApiTypes.OBJECT)
    def get(self, request: Request, provider: str) -> Response:
        _check(provider)
        document, label = queries.document_on(provider, timezone.now().date())
        versions = PriceList.objects.filter(provider=provider).order_by("-version")[:VERSIONS]
        body = {
            "provider": provider,
            "table": label,
            "document": json.loads(json.dumps(document, cls=DjangoJSONEncoder)),
            "versions": [_version(row) for row in versions],
        }
        return Response(body)

    @extend_schema(request=TableSerializer, responses={201: OpenApiTypes.OBJECT})
    def put(self, request: Request, provider: str) -> Response:
        _check(provider)
        row = services.replace(document=request.data, provider=provider, actor=request.auth, request=request)
        return Response({"provider": provider} | _version(row), status=status.HTTP_201_CREATED)


def _check(provider: str) -> None:
    if provider not in PROVIDERS:
        raise NotFound(f"Provider '{provider[:64]}' not found")


def _version(row: PriceList) -> dict[str, Any]:
    return {
        "version": row.version,
        "validFrom": str(row.valid_from),
        "createdBy": row.created_by or None,
        "createdAt": milliseconds(row.created_at),
    }


def _pricing(table: PriceTable) -> dict[str, Any]:
    tiers = [
        {
            "id": size.id,
            "label": size.name,
            "vcpu": float(size.vcpus),
            "memoryGb": float(size.memory_gb),
            "pricePerMonth": float(size.per_month),
            "pricePerHour": float(size.per_hour),
            "priceSource": size.price_source,
            "estimate": size.estimate,
        }
        for size in table.sizes
    ]
    return {
        "name": table.name,
        "computeTiers": tiers,
        "storage": {"gbPerMonth": float(table.storage_gb_month)},
        "network": {"egressGbFree": float(table.egress_free_gb), "egressGbPrice": float(table.egress_gb)},
        "table": table.label,
        "validFrom": str(table.valid_from),
        "source": table.source,
        "asOf": str(table.as_of),
        "notes": table.notes,
        "estimates": list(table.estimates),
    }
