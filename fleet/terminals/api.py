"""Terminals over HTTP (contract: fleet console §33.4)."""

from typing import Any

from django.http import HttpResponse
from django.utils.text import slugify
from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import extend_schema
from rest_framework.response import Response

from config.api.permissions import ADMIN, DEVELOPER
from config.api.views import ApiView
from fleet.instances.queries import get_visible
from fleet.terminals import messages, output, queries, recording, services


class InstanceTerminal(ApiView):
    """Open a terminal: the session, and the socket that shows it. The body may name its size, `{cols, rows}`."""

    roles = {"post": DEVELOPER}
    detail, team_attr = True, "team_id"  # a role in any team opens the door; the service looks at the instance

    @extend_schema(request=OpenApiTypes.OBJECT, responses={201: OpenApiTypes.OBJECT})
    def post(self, request: Any, id: str) -> Response:
        instance = get_visible(instance_id=id, principal=request.auth)
        size = messages.size_of(request.data or {})
        session = services.start(instance=instance, actor=request.auth, cols=size.cols, rows=size.rows, request=request)
        scheme = "wss" if request.is_secure() else "ws"
        address = f"{scheme}://{request.get_host()}/ws/terminal/{session.pk}"
        return Response({"sessionId": str(session.pk), "websocketUrl": address}, status=201)


class InstanceTerminalSession(ApiView):
    """Close a terminal of one's own; an administrator may close anybody's."""

    roles = {"delete": DEVELOPER}
    detail, team_attr = True, "team_id"

    @extend_schema(responses=OpenApiTypes.OBJECT)
    def delete(self, request: Any, id: str, session_id: str) -> Response:
        instance = get_visible(instance_id=id, principal=request.auth)
        named = output.session_id_of(session_id)
        services.close(instance=instance, session_id=named, actor=request.auth, request=request)
        return Response({"ok": True})


class Recording(ApiView):
    """What a terminal showed, as an asciinema file (version 2)."""

    roles = {"get": ADMIN}

    @extend_schema(responses=OpenApiTypes.BINARY)
    def get(self, request: Any, session_id: str) -> HttpResponse:
        found = queries.recording_of(output.session_id_of(session_id))
        response = HttpResponse(recording.text_of(found), content_type="application/x-asciicast")
        name = f"{slugify(found.session.instance.name) or 'terminal'}-{found.created_at:%Y%m%d-%H%M%S}.cast"
        response["Content-Disposition"] = f'attachment; filename="{name}"'
        return response
