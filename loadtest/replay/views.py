"""What the views of this base URL have in common (contract: traffic replay §2)."""

from typing import Any

from django.conf import settings
from drf_spectacular.utils import OpenApiParameter, extend_schema
from rest_framework.renderers import JSONRenderer

from config.api.envelopes import ReplayEnvelope
from config.api.errors import Forbidden, Invalid, Malformed
from config.api.negotiation import OneLanguage
from config.api.parsers import raw
from config.api.permissions import HasRole
from config.api.views import ApiView
from fleet.collectors.bodies import unfolded
from loadtest.replay.documents.text import NotJson, parse

Schema = dict[str, Any]
MOST_INTEGER = 2**31 - 1  # that every client reads
LIMITS = (100, 1000)  # of a list: unless asked, at most


class ReplayRole(HasRole):
    """Keys of gateways and agents open the data plane only; a team may raise a person, the services look in which."""

    def has_permission(self, request: Any, view: Any) -> bool:
        if request.auth and request.auth.is_agent:
            if not view.for_gateways:
                raise Forbidden("A gateway's key opens /v1/inject, /v1/traces and /v1/meta only")
            return True
        return super().has_permission(request, view)


class Json(JSONRenderer):
    """JSON that says its character set, as clients of this API expect."""

    charset = "utf-8"


class ReplayView(ApiView):
    """A view below both mounts: `roles` by HTTP method, a body of any type, requests counted like load testing's."""

    rate_class: str | None = "loadtest"
    for_gateways = False
    permission_classes = (ReplayRole,)
    content_negotiation_class = OneLanguage
    renderer_classes = (Json,)
    most_bytes = settings.REPLAY_MAX_BODY_BYTES
    parser_classes = (raw(settings.REPLAY_MAX_BODY_BYTES),)
    team_attr, detail = "team_id", True

    @property
    def wire(self) -> bool:
        """Whether this request gets the profile `wire`."""
        return ReplayEnvelope.is_wire(self.request)


def content(request: Any) -> bytes:
    """The body without its Content-Encoding. Raises Malformed, TooLarge."""
    body = request.data if isinstance(request.data, bytes) else b""
    return unfolded(body, request.headers.get("Content-Encoding", ""), limit=settings.REPLAY_MAX_BODY_BYTES)


def json_value(request: Any) -> Any:
    """The body as JSON, whatever its content type says. Raises Malformed."""
    body = content(request)
    if not body.strip():
        raise Malformed("The body is empty")
    try:
        return parse(body)
    except NotJson as error:
        raise Malformed(f"The body is not JSON: {error}") from None


def json_object(request: Any) -> dict[str, Any]:
    """The body as a JSON object. Raises Malformed, Invalid."""
    return as_object(json_value(request))


def as_object(body: Any) -> dict[str, Any]:
    """The same value, if it is a JSON object. Raises Invalid."""
    if not isinstance(body, dict):
        raise Invalid("The body must be a JSON object")
    return body


def small(number: int) -> int:
    """The number, as far as a client with 32-bit integers can tell it."""
    return min(number, MOST_INTEGER)


def part(request: Any) -> slice:
    """`?limit=` and `?offset=` of a list; what is no number counts as not given."""

    def number(name: str, default: int, most: int) -> int:
        text = request.query_params.get(name, "")
        return min(int(text), most) if text.isascii() and text.isdecimal() and len(text) < 10 else default

    start = number("offset", 0, MOST_INTEGER)
    return slice(start, start + max(1, number("limit", *LIMITS)))


def text(description: str = "") -> Schema:
    return {"type": "string", "description": description}


NUMBER: Schema = {"type": "integer"}
OBJECT: Schema = {"type": "object"}


def shape(**members: Schema) -> Schema:
    """A JSON object with these members."""
    return {"type": "object", "properties": members}


def documented(
    *, body: Schema | None = None, answer: Schema | None = None, status: int = 200, query: tuple[str, ...] = ()
) -> Any:
    """Tells the API document what a method takes, with its `?parameters=`, and answers: JSON schemas."""
    return extend_schema(
        request={"application/json": body} if body else None,
        responses={status: answer or OBJECT},
        parameters=[OpenApiParameter(name) for name in query],
    )
