"""What every request gets: an id to quote, a principal, the reader's time zone."""

import uuid
import zoneinfo
from collections.abc import Callable
from contextvars import ContextVar

import structlog
from django.http import HttpRequest, HttpResponse
from django.utils import timezone

from config.api.authentication import authenticate
from config.api.errors import Forbidden, Unauthorized

Handler = Callable[[HttpRequest], HttpResponse]

# The request that this code runs for, so that the audit log knows an address without every service passing it on.
current_request: ContextVar[HttpRequest | None] = ContextVar("current_request", default=None)


def request_id(get_response: Handler) -> Handler:
    """Answer with the id under which this request is in the log."""

    def handle(request: HttpRequest) -> HttpResponse:
        request.id = structlog.contextvars.get_contextvars().get("request_id") or uuid.uuid4().hex
        response = get_response(request)
        response["X-Request-ID"] = request.id
        if limit := getattr(request, "rate_limit", None):
            (
                response["X-RateLimit-Limit"],
                response["X-RateLimit-Remaining"],
                response["X-RateLimit-Reset"],
            ) = limit
        return response

    return handle


def principal(get_response: Handler) -> Handler:
    """Set `request.principal`; a refused caller is kept in `request.refusal` for the routes that need one."""

    def handle(request: HttpRequest) -> HttpResponse:
        request.principal, request.refusal = None, None
        try:
            request.principal = authenticate(request)
        except (Unauthorized, Forbidden) as refusal:
            request.refusal = refusal
        running = current_request.set(request)
        try:
            return get_response(request)
        finally:
            current_request.reset(running)

    return handle


def time_zone(get_response: Handler) -> Handler:
    """Show times in the zone that the person chose."""

    def handle(request: HttpRequest) -> HttpResponse:
        zone = getattr(request.user, "time_zone", "") if request.user.is_authenticated else ""
        with timezone.override(zoneinfo.ZoneInfo(zone) if zone else None):
            return get_response(request)

    return handle
