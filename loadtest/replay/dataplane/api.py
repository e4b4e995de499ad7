"""The doors of the data plane: on the event loop, or in a thread where a server has none (contract §8)."""

import asyncio
import logging
from collections.abc import Awaitable, Callable, Mapping
from types import SimpleNamespace
from typing import Any

import msgspec
from asgiref.sync import async_to_sync
from django.conf import settings
from django.http import HttpResponse
from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import extend_schema

from config.api.authentication import Principal, PrincipalAuthentication
from config.api.envelopes import ReplayEnvelope, as_api_error
from config.api.errors import ApiError
from config.api.permissions import OPERATOR
from config.pool import read_body, refuse
from config.streams import query
from fleet.collectors.bodies import unfolded
from loadtest.replay.dataplane import callers, inject, uploads
from loadtest.replay.dataplane.callers import Caller
from loadtest.replay.dataplane.inject import JSON, Answer
from loadtest.replay.sessions import measuring
from loadtest.replay.views import ReplayView, content

log = logging.getLogger(__name__)
BODY_WITHIN_S = 30
ON_THE_LOOP_BYTES = 128 << 10  # larger questions are read in a thread
TYPES = {"application/json": OpenApiTypes.OBJECT, "application/x-protobuf": OpenApiTypes.BINARY}

Handler = Callable[[bytes, Mapping[str, str], Caller, bool], Awaitable[Answer]]


async def ask(body: bytes, headers: Mapping[str, str], caller: Caller, wire: bool) -> Answer:
    """Which response does this request get? 200 with it, 404 to forward it, 599 where nothing may pass."""
    kind = headers.get("Content-Type", "")
    try:
        large = len(body) > ON_THE_LOOP_BYTES
        asked = await query(inject.read, body, kind) if large else inject.read(body, kind)
        delays = headers.get("X-Pharos-Delay", "") == "caller"
        return await inject.answered(asked, caller, accept=headers.get("Accept", ""), wire=wire, delays=delays)
    except Exception as fault:
        unknown = isinstance(fault, ApiError) and fault.status == 404
        measuring.INJECTS.labels("miss" if unknown else "error").inc()
        raise


async def keep(body: bytes, headers: Mapping[str, str], caller: Caller, wire: bool) -> Answer:
    """Exchanges as they happened, for the capture of their session or one of their own."""
    told = await uploads.kept(body, headers.get("Content-Type", ""), caller)
    return Answer(200, msgspec.json.encode(told), JSON)


class PublicKey(PrincipalAuthentication):
    """Takes `x-public-key` too."""

    def authenticate(self, request: Any) -> tuple[Any, Principal] | None:
        if found := super().authenticate(request):
            return found
        if not request.headers.get("X-Public-Key", "").strip():
            return None
        principal = callers.find(callers.key_of(request.headers)).principal
        return principal.user, principal


def door(handler: Handler) -> Callable[..., Any]:
    """A view for the handler; its `asgi` answers on the event loop."""

    class Door(ReplayView):
        __doc__ = handler.__doc__
        roles = {"post": OPERATOR}
        rate_class = None
        for_gateways = True
        authentication_classes = (PublicKey,)

        @extend_schema(request=TYPES, responses={200: OpenApiTypes.OBJECT})
        def post(self, request: Any) -> HttpResponse:
            caller = callers.caller_of(request.auth)
            answer = async_to_sync(handler)(content(request), request.headers, caller, self.wire)
            headers = answer.headers
            return HttpResponse(
                answer.body, status=answer.status, content_type=answer.content_type, headers=headers
            )  # fmt: skip

    async def on_the_loop(scope: dict, receive: Any, send: Any) -> None:
        headers = {name.decode("latin-1").title(): value.decode("latin-1") for name, value in scope["headers"]}
        try:
            answer = await _answered(handler, scope, headers, receive)
        except Exception as fault:  # noqa: BLE001 - there is no Django around this that would answer
            if (error := as_api_error(fault, None)) is None:
                log.exception("a request to %s could not be answered", scope["path"])
                error = ApiError("Something went wrong on our side", status=500, code="internal_error")
            await refuse(error, scope, send)
        else:
            if answer is not None:
                await _send(send, answer)

    view: Any = Door.as_view()
    view.asgi = on_the_loop
    return view


async def _answered(handler: Handler, scope: dict, headers: Mapping[str, str], receive: Any) -> Answer | None:
    """The answer; None when the caller left."""
    if scope["method"] != "POST":
        raise ApiError(f"{scope['method']} is not allowed here", status=405, code="method_not_allowed")
    key, most = callers.key_of(headers), settings.REPLAY_MAX_BODY_BYTES
    caller = callers.known(key) or await query(callers.find, key)
    try:
        async with asyncio.timeout(BODY_WITHIN_S):
            body = await read_body(receive, most)
    except TimeoutError:
        raise ApiError("The body did not arrive in time", status=408, code="request_timeout") from None
    if body is None:
        return None
    plain = unfolded(body, headers.get("Content-Encoding", ""), limit=most)
    wire = ReplayEnvelope.is_wire(SimpleNamespace(path=scope["path"], headers=headers))
    return await handler(plain, headers, caller, wire)


async def _send(send: Any, answer: Answer) -> None:
    headers = {"content-type": answer.content_type, "content-length": str(len(answer.body)), **answer.headers}
    pairs = [(name.encode(), value.encode()) for name, value in headers.items()]
    pairs.append((b"x-content-type-options", b"nosniff"))
    await send({"type": "http.response.start", "status": answer.status, "headers": pairs})
    await send({"type": "http.response.body", "body": answer.body})


inject_door, traces_door = door(ask), door(keep)
