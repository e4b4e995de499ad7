"""The agents' HTTP doors: reports, and the agent itself (contract: fleet console §31)."""

import asyncio
import logging
from concurrent.futures import Future, TimeoutError
from typing import Any

from channels.db import database_sync_to_async
from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import extend_schema
from rest_framework.request import Request
from rest_framework.response import Response

from config.api.envelopes import as_api_error
from config.api.errors import ApiError, Unauthorized, Unavailable
from config.api.parsers import raw
from config.api.permissions import NO_KEY, OPERATOR, AgentOrRole
from config.api.views import ApiView
from config.pool import answer, read_body, refuse
from fleet.agents import ingest
from fleet.agents.frames import MAX_FRAME_BYTES
from security.keys.services import key_from_headers

log = logging.getLogger(__name__)
COMMIT_WITHIN_S = 15
BODY_WITHIN_S = 30
ACCEPTED = b'{"accepted":true}'
NOT_STORED = "The report could not be stored in time. Send it again."


class Heartbeats(ApiView):
    """Heartbeats, samples and processes of one instance; answered when they are on disk."""

    roles = {"post": OPERATOR}
    rate_class = None
    permission_classes = (AgentOrRole,)
    parser_classes = (raw(MAX_FRAME_BYTES),)
    team_attr, detail = "team_id", True  # a team may raise the caller; the service decides on the instance

    @extend_schema(request={"application/json": OpenApiTypes.OBJECT}, responses=OpenApiTypes.OBJECT)
    def post(self, request: Request, id: str) -> Response:
        raw_key = key_from_headers(request.headers)
        if raw_key is None:
            raise Unauthorized(NO_KEY)
        body = request.data or b""
        bound = ingest.admit(raw_key, id)
        stored, delivery = ingest.take(bound, body if isinstance(body, bytes) else b"")
        _wait(stored)
        ingest.store_rest(bound, delivery)
        return Response({"accepted": True})


def _wait(stored: "Future[None]") -> None:
    try:
        stored.result(COMMIT_WITHIN_S)
    except TimeoutError:
        raise Unavailable(NOT_STORED) from None


async def heartbeats_asgi(scope: dict, receive: Any, send: Any, id: str) -> None:
    """The same as the view, without threads and middleware: what a heartbeat costs is mostly the way to it."""
    try:
        await _heartbeats(scope, receive, send, id)
    except Exception as fault:  # noqa: BLE001 - there is no Django around this that would answer
        if (error := as_api_error(fault, None)) is None:
            log.exception("a report could not be taken")
            error = ApiError("Something went wrong on our side", status=500, code="internal_error")
        await refuse(error, scope, send)


async def _heartbeats(scope: dict, receive: Any, send: Any, id: str) -> None:
    if scope["method"] != "POST":
        raise ApiError(f"{scope['method']} is not allowed here", status=405, code="method_not_allowed")
    headers = {name.decode("latin-1").title(): value.decode("latin-1") for name, value in scope["headers"]}
    raw_key = key_from_headers(headers)
    if raw_key is None:
        raise Unauthorized(NO_KEY)
    bound = ingest.known(raw_key, id) or await database_sync_to_async(ingest.admit)(raw_key, id)
    try:
        async with asyncio.timeout(BODY_WITHIN_S):
            body = await read_body(receive, MAX_FRAME_BYTES)
    except TimeoutError:
        raise ApiError("The body did not arrive in time", status=408, code="request_timeout") from None
    if body is None:
        return
    stored, delivery = ingest.take(bound, body)
    try:
        async with asyncio.timeout(COMMIT_WITHIN_S):
            await asyncio.wrap_future(stored)
    except TimeoutError:
        raise Unavailable(NOT_STORED) from None
    if ingest.has_rest(delivery):
        await database_sync_to_async(ingest.store_rest)(bound, delivery)
    await answer(send, 200, ACCEPTED, {"X-Content-Type-Options": "nosniff"})


heartbeats = Heartbeats.as_view()
heartbeats.asgi = heartbeats_asgi
