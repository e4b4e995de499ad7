"""Captures and imported cases over HTTP (contract: traffic replay §5, §12)."""

from collections.abc import Iterator
from typing import Any

from django.http import HttpResponseBase, StreamingHttpResponse
from django.utils import timezone
from rest_framework.response import Response

from config.api.permissions import OPERATOR, VIEWER
from loadtest.replay.captures import collecting, documents, services
from loadtest.replay.captures.keeping import rfc3339
from loadtest.replay.captures.models import Capture
from loadtest.replay.sessions.services import team_of
from loadtest.replay.views import NUMBER, OBJECT, ReplayView, documented, json_object, part, shape, small, text


def listed(capture: Capture) -> dict[str, Any]:
    return {
        "captureId": capture.pk,
        "caseId": capture.head.get("caseId", capture.pk),
        "origin": capture.origin,
        "createdAt": rfc3339(capture.created_at),
        "closed": capture.closed_at is not None,
        "traceCount": small(capture.trace_count),
        "exchangeCount": small(capture.exchange_count),
        "kilobytes": small(-(-capture.byte_count // 1024)),
    }


class Captures(ReplayView):
    """Captures and imported cases, newest first."""

    roles = {"get": VIEWER}

    @documented(query=("limit", "offset"))
    def get(self, request: Any) -> Response:
        rows = Capture.objects.visible_to(request.auth).order_by("-created_at", "-id")[part(request)]
        return Response({"captures": [listed(row) for row in rows]})


class OneCapture(ReplayView):
    """The case document of a capture, `?format=har` the same as HAR 1.2. Large ones come as they are read."""

    roles = {"get": VIEWER}

    @documented(query=("format",))
    def get(self, request: Any, id: str) -> HttpResponseBase:
        capture = services.get_visible(capture_id=id, principal=request.auth)
        as_har = request.query_params.get("format", "").lower() == "har"
        chunks: Iterator[bytes] = documents.as_har(capture) if as_har else documents.as_case(capture)
        name = f"{capture.pk}.har" if as_har else f"{capture.pk}.case.json"
        headers = {"Content-Disposition": f'attachment; filename="{name}"', "Cache-Control": "no-store"}
        return StreamingHttpResponse(chunks, content_type="application/json; charset=utf-8", headers=headers)


class Import(ReplayView):
    """Keeps a HAR or a case document that was made elsewhere."""

    roles = {"post": OPERATOR}

    @documented(body=OBJECT, answer=shape(captureId=text(), traceCount=NUMBER), status=201)
    def post(self, request: Any) -> Response:
        capture, skipped = services.bring_in(
            document=json_object(request), actor=request.auth, team_id=team_of(request.auth), now=timezone.now()
        )
        return Response(listed(capture) | {"skipped": skipped}, status=201)


class Collection(ReplayView):
    """Turns a captured case into a collection of requests for load tests."""

    roles = {"post": OPERATOR}

    @documented(answer=shape(collectionId=text(), requestCount=NUMBER), status=201)
    def post(self, request: Any, id: str) -> Response:
        capture = services.get_visible(capture_id=id, principal=request.auth)
        return Response(collecting.collect(capture=capture, actor=request.auth), status=201)
