"""Log files of one machine over HTTP (contract: fleet console §7)."""

from typing import Any

import msgspec
from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import extend_schema
from rest_framework.response import Response

from config.api.fields import camel
from config.api.pagination import integer
from config.api.permissions import VIEWER
from config.api.views import ApiView
from fleet.instances.queries import get_visible
from fleet.logfiles import services


class LogSources(ApiView):
    """The log files that the machine's agent shows."""

    roles = {"get": VIEWER}

    @extend_schema(responses=OpenApiTypes.OBJECT)
    def get(self, request: Any, id: str) -> Response:
        instance = get_visible(instance_id=id, principal=request.auth)
        found = services.sources(instance=instance)
        return Response(
            {"sources": [{camel(name): value for name, value in msgspec.structs.asdict(one).items()} for one in found]}
        )


class LogFile(ApiView):
    """Lines of one log file."""

    roles = {"get": VIEWER}

    @extend_schema(responses=OpenApiTypes.OBJECT)
    def get(self, request: Any, id: str) -> Response:
        instance = get_visible(instance_id=id, principal=request.auth)
        path = request.query_params.get("path", "")
        lines = integer(request, "lines", 500, 1, services.MOST_LINES)
        offset = integer(request, "offset", 1, 1, services.MOST_OFFSET)
        part = services.part_of(instance=instance, path=path, lines=lines, offset=offset)
        return Response({"lines": part.lines, "totalLines": part.total_lines, "path": path, "offset": offset})
