"""The way in for collectors: the same whether the event loop or a pooled thread answers."""

import asyncio
import logging
from collections.abc import Callable, Mapping
from concurrent.futures import Future, TimeoutError
from datetime import datetime
from typing import Any, NamedTuple, Protocol

from channels.db import database_sync_to_async
from django.db import InterfaceError, OperationalError
from django.http import HttpResponse
from django.utils import timezone
from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import extend_schema

from config.api.envelopes import as_api_error
from config.api.errors import ApiError, Unauthorized, Unavailable
from config.api.negotiation import OneLanguage
from config.api.parsers import raw
from config.api.permissions import NO_KEY, OPERATOR, AgentOrRole
from config.api.views import ApiView
from config.pool import read_body
from fleet.collectors.bodies import MOST_BYTES
from fleet.collectors.otlp.messages import Answer
from fleet.collectors.senders import Sender
from security.keys.services import key_from_headers

log = logging.getLogger(__name__)
COMMIT_WITHIN_S = 15
BODY_WITHIN_S = 30
AGAIN_AFTER_S = 10
NOT_STORED = "The data could not be stored in time. Send it again."


class Request(NamedTuple):
    """What a collector sent. `headers` have names such as Content-Type."""

    body: bytes
    headers: Mapping[str, str]
    sender: Sender
    now: datetime


class Speech(Protocol):
    """How one protocol is read and answered.

    `take` hands what the request holds to the writers: a future that is done when it is committed, and the answer to
    give then. It raises ApiError; nothing is stored then. `refusal` says an error in the protocol's own form.
    """

    def take(self, request: Request) -> "tuple[Future[None], Answer]": ...

    def refusal(self, error: ApiError, request_headers: Mapping[str, str], headers: Mapping[str, str]) -> Answer: ...


def _begin(speech: Speech, body: bytes, headers: Mapping[str, str]) -> "tuple[Future[None], Answer]":
    raw_key = key_from_headers(headers)
    if raw_key is None:
        raise Unauthorized(NO_KEY)
    try:
        return speech.take(Request(body, headers, Sender(raw_key), timezone.now()))
    except (OperationalError, InterfaceError):
        log.error("collectors' data could not be taken", exc_info=True)
        raise Unavailable("The database is away. Send the data again later.") from None


def _refused(speech: Speech, error: ApiError, headers: Mapping[str, str]) -> Answer:
    more = {"Retry-After": str(error.extra.get("retry_after", AGAIN_AFTER_S))} if error.status in (429, 503) else {}
    if error.status == 401:
        more["WWW-Authenticate"] = "Bearer"
    return speech.refusal(error, headers, more)


def door(speech: Speech, *types: str) -> Callable[..., Any]:
    """A view for the protocol, which takes bodies of these types; its `asgi` answers on the event loop."""

    class Door(ApiView):
        __doc__ = speech.__doc__
        roles = {"post": OPERATOR}
        rate_class = None
        permission_classes = (AgentOrRole,)
        content_negotiation_class = OneLanguage
        parser_classes = (raw(MOST_BYTES),)
        team_attr, detail = "team_id", True  # a team may raise the caller; the sender looks at each instance

        @extend_schema(
            request={kind: OpenApiTypes.BINARY if "json" not in kind else OpenApiTypes.OBJECT for kind in types},
            responses={200: OpenApiTypes.OBJECT},
        )
        def post(self, request: Any) -> HttpResponse:
            body = request.data
            stored, answer = _begin(speech, body if isinstance(body, bytes) else b"", request.headers)
            try:
                stored.result(COMMIT_WITHIN_S)
            except TimeoutError:
                raise Unavailable(NOT_STORED) from None
            return _response(answer)

        def handle_exception(self, exc: Exception) -> Any:
            error = as_api_error(exc, self.request)
            if error is None:
                raise exc
            return _response(_refused(speech, error, self.request.headers))

    async def on_the_loop(scope: dict, receive: Any, send: Any) -> None:
        headers = {name.decode("latin-1").title(): value.decode("latin-1") for name, value in scope["headers"]}
        try:
            answer = await _answered(speech, scope["method"], headers, receive)
        except ApiError as error:
            answer = _refused(speech, error, headers)
        except Exception:  # noqa: BLE001 - there is no Django around this that would answer
            log.exception("collectors' data could not be taken")
            answer = _refused(speech, ApiError("Something went wrong on our side", status=500), headers)
        if answer is not None:
            await _send(send, answer)

    view: Any = Door.as_view()
    view.asgi = on_the_loop
    return view


async def _answered(speech: Speech, method: str, headers: Mapping[str, str], receive: Any) -> Answer | None:
    """The answer after the commit; None when the client left."""
    if method != "POST":
        raise ApiError(f"{method} is not allowed here", status=405, code="method_not_allowed")
    if key_from_headers(headers) is None:
        raise Unauthorized(NO_KEY)
    try:
        async with asyncio.timeout(BODY_WITHIN_S):
            body = await read_body(receive, MOST_BYTES)
    except TimeoutError:
        raise ApiError("The body did not arrive in time", status=408, code="request_timeout") from None
    if body is None:
        return None
    # A large body takes a while to read: threads do that, while others are answered.
    stored, answer = await database_sync_to_async(_begin, thread_sensitive=False)(speech, body, headers)
    try:
        async with asyncio.timeout(COMMIT_WITHIN_S):
            await asyncio.wrap_future(stored)
    except TimeoutError:
        raise Unavailable(NOT_STORED) from None
    return answer


def _response(answer: Answer) -> HttpResponse:
    response = HttpResponse(answer.body, status=answer.status, content_type=answer.content_type)
    for name, value in answer.headers.items():
        response[name] = value
    return response


async def _send(send: Any, answer: Answer) -> None:
    headers = {"Content-Length": str(len(answer.body)), "X-Content-Type-Options": "nosniff", **answer.headers}
    if answer.content_type:
        headers["Content-Type"] = answer.content_type
    pairs = [(name.lower().encode(), value.encode()) for name, value in headers.items()]
    await send({"type": "http.response.start", "status": answer.status, "headers": pairs})
    await send({"type": "http.response.body", "body": answer.body})
