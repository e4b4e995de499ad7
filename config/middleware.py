"""What every request gets: an id to quote, a principal, the reader's time zone."""

import time
import uuid
import zoneinfo
from collections.abc import Callable
from contextvars import ContextVar

import structlog
from django.http import HttpRequest, HttpResponse
from django.utils import timezone
from prometheus_client import Histogram

from config.api.authentication import authenticate
from config.api.errors import Forbidden, Unauthorized

ANSWERS = Histogram(
    "pharos_http_answer_seconds",
    "Time from the request's arrival in Django to its answer, by API and by class of status.",
    ["area", "method", "status"],
    buckets=(0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 10),
)
METHODS = {"GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"}

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


def measured(get_response: Handler) -> Handler:
    """Count and time answers for `/metrics`. The labels are few, whatever is asked for."""

    def handle(request: HttpRequest) -> HttpResponse:
        start = time.perf_counter()
        response = get_response(request)
        area = "api" if request.path.startswith("/api/") else "page"
        method = request.method if request.method in METHODS else "other"
        ANSWERS.labels(area, method, f"{response.status_code // 100}xx").observe(time.perf_counter() - start)
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
