"""Bills of material over HTTP (contract: fleet console §22)."""

import asyncio
from functools import partial
from typing import Any

import msgspec
from django.http import HttpResponse, HttpResponseBase
from django.utils import timezone
from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import OpenApiParameter, extend_schema
from rest_framework.request import Request
from rest_framework.response import Response

from config.api.envelopes import error_response
from config.api.errors import ApiError, Invalid, Malformed
from config.api.parsers import raw
from config.api.permissions import VIEWER
from config.api.views import ApiView
from config.later import can_wait, finish_later
from fleet.agents.shapes import Package as Given
from fleet.instances.queries import get_visible
from security.bom import documents, queries
from security.bom.cyclonedx import children
from security.bom.cyclonedx.reading import MOST_BYTES, VERSIONS
from security.bom.packages import Package

MOST_LIST_BYTES = 8 * 1024 * 1024
CONTENT_TYPE = "application/vnd.cyclonedx+json"
INSTANCE = OpenApiParameter("instanceId", str)
ECOSYSTEM = OpenApiParameter("ecosystem", str)


class Listed(msgspec.Struct):
    packages: list[Given]


class Bom(ApiView):
    """What is installed: on one instance with its packages, else how much there is in all."""

    roles = {"get": VIEWER}

    @extend_schema(parameters=[INSTANCE, ECOSYSTEM], responses=OpenApiTypes.OBJECT)
    def get(self, request: Request) -> Response:
        ecosystem = request.query_params.get("ecosystem", "")
        if len(ecosystem) > 64 or "\x00" in ecosystem:
            raise Invalid("ecosystem is no name of one", details={"ecosystem": ["is no name of an ecosystem"]})
        if instance_id := request.query_params.get("instanceId"):
            instance = get_visible(instance_id=instance_id, principal=request.auth)
            return Response(queries.of_instance(instance, ecosystem))
        return Response(queries.of_fleet(request.auth, ecosystem))


class InstanceBom(ApiView):
    """The packages that a person says are installed on an instance, all of them at once."""

    roles = {"put": VIEWER}
    most_bytes = MOST_LIST_BYTES
    parser_classes = (raw(MOST_LIST_BYTES),)

    @extend_schema(request={"application/json": OpenApiTypes.OBJECT}, responses=OpenApiTypes.OBJECT)
    def put(self, request: Request, id: str) -> Response:
        instance = get_visible(instance_id=id, principal=request.auth)
        packages = _packages(request.data or b"")
        documents.put(instance=instance, packages=packages, actor=request.auth, now=timezone.now(), request=request)
        return Response(queries.of_instance(instance))


def _packages(body: bytes) -> list[Package]:
    """The packages of a body. Raises Malformed for what is no JSON, Invalid for what is no list of packages."""
    try:
        given = msgspec.json.decode(body, type=Listed).packages
    except msgspec.ValidationError as error:
        raise Invalid("The packages break a rule", details={"packages": [str(error)[:300]]}) from None
    except (msgspec.DecodeError, UnicodeError):
        raise Malformed("The body is not valid JSON") from None
    except RecursionError:
        raise Malformed("The body is nested too deeply") from None
    return [
        Package(one.name, one.version, one.ecosystem, one.license, one.source_name, one.source_version) for one in given
    ]


class CycloneDx(ApiView):
    """An instance's bill of material as a CycloneDX document: taken away (GET) or handed in (POST)."""

    roles = {"get": VIEWER, "post": VIEWER}
    most_bytes = MOST_BYTES
    parser_classes = (raw(MOST_BYTES),)

    @extend_schema(
        parameters=[OpenApiParameter("version", str, enum=VERSIONS)],
        responses={(200, CONTENT_TYPE): OpenApiTypes.OBJECT},
    )
    def get(self, request: Request, id: str) -> HttpResponseBase:
        instance = get_visible(instance_id=id, principal=request.auth)
        version = request.query_params.get("version", documents.NEWEST)
        order = documents.order(instance=instance, version=version, now=timezone.now())
        make = partial(_document, order, request._request)
        if can_wait(request):
            return finish_later(request, Response(), partial(asyncio.to_thread, make))
        return make()

    @extend_schema(
        request={("application/json"): OpenApiTypes.OBJECT, CONTENT_TYPE: OpenApiTypes.OBJECT},
        responses=OpenApiTypes.OBJECT,
    )
    def post(self, request: Request, id: str) -> Response:
        instance = get_visible(instance_id=id, principal=request.auth)
        done = documents.take(
            instance=instance, document=request.data or b"", actor=request.auth, now=timezone.now(), request=request
        )
        packages = done.packages and done.packages._asdict()
        return Response(
            {"instanceId": instance.pk, "packages": packages, "statements": done.statements, "notes": done.notes}
        )


def _document(order: Any, request: Any) -> HttpResponseBase:
    try:
        body = children.write(order)
    except ApiError as error:
        return error_response(error, request)
    response = HttpResponse(body, content_type=CONTENT_TYPE)
    response["Content-Disposition"] = f'attachment; filename="bom-{order.instance_id}.cdx.json"'
    return response
