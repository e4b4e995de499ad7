"""The shape of errors by base URL. Every fault below an API prefix, from any layer, is rendered here."""

import logging
import re
import sys
from collections.abc import Mapping
from http import HTTPStatus
from typing import Any

from django.core.exceptions import PermissionDenied, RequestDataTooBig
from django.db import DataError, InterfaceError, OperationalError
from django.http import Http404, HttpRequest, HttpResponse, JsonResponse
from django.shortcuts import render as render_page
from kombu.exceptions import OperationalError as QueueAway
from redis.exceptions import RedisError
from rest_framework import exceptions
from rest_framework.response import Response
from rest_framework.views import set_rollback

from config.api.errors import ApiError, Invalid, Malformed, NotFound, TooLarge, TooMany, Unauthorized, Unavailable
from config.api.permissions import NO_KEY

log = logging.getLogger(__name__)
RETRY_AFTER_S = {429: 60, 503: 5}  # unless the error says how many seconds


class Envelope:
    """One base URL's error shape: `status(error)` may move the status, `body` builds the JSON object."""

    def status(self, error: ApiError, request: Any) -> int:
        return error.status

    def body(self, status: int, error: ApiError, request: Any) -> dict[str, Any]:
        raise NotImplementedError


class FleetEnvelope(Envelope):
    """`/api/v1` (contract: fleet console §1.7)."""

    FAMILY_A = re.compile(r"^/api/v1/(alerts|costs|budgets|drift|secrets|extensions|admin/extensions)\b")
    REASONS = {422: "Validation Error", 429: "Too Many Requests", 413: "Payload Too Large"}

    def status(self, error: ApiError, request: Any) -> int:
        if isinstance(error, Invalid) and error.status == 400:
            return 400 if self.FAMILY_A.match(request.path) else 422
        return error.status

    def body(self, status: int, error: ApiError, request: Any) -> dict[str, Any]:
        reason = self.REASONS.get(status) or HTTPStatus(status).phrase
        validation = isinstance(error, Invalid)
        body: dict[str, Any] = {
            "error": error.extra.get("reason") or reason,
            "message": error.message,
            "statusCode": status,
        }
        if validation or error.details:
            fields = dict(error.details or {})
            general = fields.pop("", [] if fields else [error.message])
            body["details"] = {"formErrors": general, "fieldErrors": fields, **error.extra.get("facts", {})}
        if status == 429:
            body["retryAfter"] = error.extra.get("retry_after", 60)
        return body


class MonitorsEnvelope(Envelope):
    """`/api/monitors` and its neighbours (contract: monitors §1.1)."""

    CODES = {"validation": "invalid_request", "malformed": "invalid_request", "conflict": "schedule_conflict"}

    def status(self, error: ApiError, request: Any) -> int:
        return 400 if error.status == 415 else error.status

    def body(self, status: int, error: ApiError, request: Any) -> dict[str, Any]:
        code = "internal_error" if status == 500 else self.CODES.get(error.code, error.code)
        body: dict[str, Any] = {
            "error": "invalid_request" if status == 400 else code,
            "message": error.message,
        }
        if status == 400 and error.details:
            body["details"] = error.details
        return body | error.extra.get("facts", {})


class LoadtestEnvelope(Envelope):
    """`/api/loadtest` (contract: load testing §1)."""

    def body(self, status: int, error: ApiError, request: Any) -> dict[str, Any]:
        text = f"Invalid JSON: {error.message}" if isinstance(error, Malformed) else error.message
        more = {"details": error.details, "hint": error.extra.get("hint")}
        return {"error": text} | {name: value for name, value in more.items() if value}


class SignalsEnvelope(Envelope):
    """`/api/signals` (contract: signals §1, §4.6, §4.7)."""

    CODES = {500: "internal_server_error", 422: "unprocessable_entity", 400: "bad_request"}
    KEYS = {True: "missing or malformed Authorization header", False: "invalid API key"}

    def body(self, status: int, error: ApiError, request: Any) -> dict[str, Any]:
        facts = error.extra.get("facts", {})
        if status == 409:
            return {"error": error.message} | facts
        detail = self.KEYS[error.message == NO_KEY or not _names_key(request)] if status == 401 else error.message
        return {"error": self.CODES.get(status, error.code), "detail": detail} | facts


def _names_key(request: Any) -> bool:
    """Whether a key came in a form in which one can be read."""
    scheme, _, key = request.headers.get("Authorization", "").partition(" ")
    return bool((scheme.lower() == "bearer" and key.strip()) or request.headers.get("X-Api-Key"))


class ReplayEnvelope(Envelope):
    """`/api/replay` flat, the root `/v1` nested, unless a header says otherwise (contract: traffic replay §1, §3)."""

    EXIT_CODES = {400: 5, 409: 4, 413: 5, 422: 5, 405: 2}
    CODES = {401: "missing_bearer_token", 405: "method_not_allowed", 422: "rule_validation_failed"}
    GONE = {"session_not_found": "unknown_session", "capture_not_found": "not_found"}

    @staticmethod
    def is_wire(request: Any) -> bool:
        """Whether the request gets the profile `wire`."""
        profile = (request.headers.get("X-Softprobe-Profile") or "").strip().lower()
        return profile == "wire" or (profile != "documented" and request.path.lstrip("/").startswith("v1/"))

    def status(self, error: ApiError, request: Any) -> int:
        if error.status == 401 and self._sent_a_key(request.headers):
            return 403
        if error.status == 409 and self.is_wire(request):
            return 404
        return 400 if error.status == 415 else error.status

    def body(self, status: int, error: ApiError, request: Any) -> dict[str, Any]:
        code, wire, told = self._code(status, error), self.is_wire(request), {"message": error.message}
        if faults := error.extra.get("faults"):
            told["details"] = faults
        if not wire:
            exit_code = 4 if code in self.GONE else self.EXIT_CODES.get(status, 1)
            return {"error": code, **told, "code": exit_code}
        if status == 400:
            code = "invalid_request"
        return {"error": {"code": self.GONE.get(code, code), **told}}

    def _code(self, status: int, error: ApiError) -> str:
        match status:
            case 400:
                return "invalid_mode" if error.code == "invalid_mode" else "invalid_body"
            case 403:
                return "invalid_bearer_token" if error.status == 401 else "forbidden"
            case 404:
                code = "session_not_found" if error.status == 409 else error.code
                return code if code in self.GONE else "not_found"
            case 409:
                return "session_closed"
            case 500:
                return "internal_error"
        return self.CODES.get(status, error.code)

    @staticmethod
    def _sent_a_key(headers: Any) -> bool:
        scheme, _, value = (headers.get("Authorization") or "").partition(" ")
        bearer = scheme.lower() == "bearer" and value.strip()
        return bool(bearer or headers.get("X-Api-Key") or headers.get("X-Public-Key"))


ENVELOPES: list[tuple[str, Envelope]] = [
    ("/api/loadtest", LoadtestEnvelope()),
    ("/api/signals", SignalsEnvelope()),
    ("/api/replay", ReplayEnvelope()),
    ("/v1", ReplayEnvelope()),
    ("/api/monitors", MonitorsEnvelope()),
    ("/api/runs", MonitorsEnvelope()),
    ("/api/alerts", MonitorsEnvelope()),
    ("/api/agents", MonitorsEnvelope()),
    ("/api/settings", MonitorsEnvelope()),
    ("/api", FleetEnvelope()),
]


def envelope_for(path: str) -> Envelope | None:
    """The envelope of the API that owns the path; None for pages. A doubled slash at its start changes nothing."""
    path = "/" + path.lstrip("/")
    for prefix, envelope in ENVELOPES:
        if path == prefix or path.startswith(prefix + "/"):
            return envelope
    return None


def render(error: ApiError, request: Any) -> tuple[int, dict[str, Any], dict[str, str]]:
    """Status, body and headers of an error for the API that owns the request's path."""
    envelope = envelope_for(request.path) or ENVELOPES[-1][1]
    status = envelope.status(error, request)
    headers = {}
    if status in RETRY_AFTER_S:
        headers["Retry-After"] = str(error.extra.get("retry_after", RETRY_AFTER_S[status]))
    if status == 401:
        headers["WWW-Authenticate"] = "Bearer"
    return status, envelope.body(status, error, request), headers


def error_response(error: ApiError, request: Any) -> JsonResponse:
    """The error as a plain Django response, for views that are not DRF's."""
    status, body, headers = render(error, request)
    return JsonResponse(body, status=status, headers=headers)


def exception_handler(exc: Exception, context: Mapping[str, Any]) -> Response | None:
    """DRF's hook: every exception of a view in the envelope of its API. Unknown ones go on to `server_error`."""
    error = as_api_error(exc, context["request"])
    if error is None:
        return None
    set_rollback()
    status, body, headers = render(error, context["request"])
    return Response(body, status=status, headers=headers)


def as_api_error(exc: Exception, request: Any) -> ApiError | None:
    """Translate what Django and DRF raise into our family; None for what nobody foresaw."""
    match exc:
        case ApiError():
            return exc
        case Http404() | exceptions.NotFound():
            return NotFound(str(exc) if str(exc) and "matches the given query" not in str(exc) else "Not found")
        case exceptions.ValidationError():
            return Invalid("The request breaks a rule", details=flatten(exc.detail))
        case exceptions.ParseError():
            return Malformed("The body is not valid JSON")
        case RecursionError():  # only a body can be this deep
            return Malformed("The body is nested too deeply")
        case exceptions.UnsupportedMediaType():
            return Malformed("The content type is not supported", status=415)
        case exceptions.MethodNotAllowed():
            return ApiError(f"{request.method} is not allowed here", status=405, code="method_not_allowed", reason=None)
        case exceptions.NotAuthenticated() | exceptions.AuthenticationFailed():
            return Unauthorized(NO_KEY)
        case exceptions.Throttled():
            return TooMany("Too many requests, slow down", retry_after=int(exc.wait or 60))
        case PermissionDenied() | exceptions.PermissionDenied():
            return ApiError(str(exc) or "This is not allowed", status=403, code="forbidden")
        case RequestDataTooBig():
            return TooLarge("The body is too large")
        case DataError() | UnicodeEncodeError():
            log.error("the database refused a value that no check of ours refused", exc_info=exc)
            return Malformed("The request holds a value that cannot be stored")
        case OperationalError() | InterfaceError() | RedisError() | QueueAway():
            log.error("a part that we lean on does not answer: %s", exc)
            return Unavailable("The platform's store does not answer now. Try again in a moment.")
        case _:
            return None


def flatten(detail: Any, path: str = "") -> dict[str, list[str]]:
    """DRF's nested validation details as `{"field.sub": [sentences]}`; "" holds those of no field."""
    if isinstance(detail, Mapping):
        found: dict[str, list[str]] = {}
        for name, inner in detail.items():
            part = "" if name == "non_field_errors" else str(name)
            for key, texts in flatten(inner, ".".join(filter(None, (path, part)))).items():
                found.setdefault(key, []).extend(texts)
        return found
    if isinstance(detail, list | tuple):
        if all(isinstance(item, str) for item in detail):
            return {path: [str(item) for item in detail]}
        found = {}
        for index, inner in enumerate(detail):
            if inner:
                found |= flatten(inner, f"{path}.{index}" if path else str(index))
        return found
    return {path: [str(detail)]}


def not_found(request: HttpRequest, exception: Exception | None = None) -> HttpResponse:
    """Unknown path: the envelope below an API prefix, a page elsewhere. An API tells nothing without a key."""
    if envelope_for(request.path) is None:
        return render_page(request, "errors/404.html", status=404)
    if getattr(request, "refusal", None):
        return error_response(request.refusal, request)
    return error_response(NotFound(f"No route for {request.method} {request.path}"), request)


def server_error(request: HttpRequest) -> HttpResponse:
    """A fault of ours: no internals, but the id under which the log has it."""
    if isinstance(known := as_api_error(sys.exc_info()[1] or Exception(), request), Unavailable):
        if envelope_for(request.path):
            return error_response(known, request)
        return render_page(request, "errors/500.html", status=503)
    text = f"Something went wrong on our side. Request id {getattr(request, 'id', 'unknown')}."
    if envelope_for(request.path) is None:
        return render_page(request, "errors/500.html", status=500)
    return error_response(ApiError(text, status=500, code="internal_error"), request)


def bad_request(request: HttpRequest, exception: Exception | None = None) -> HttpResponse:
    if envelope_for(request.path) is None:
        return render_page(request, "errors/400.html", status=400)
    if isinstance(exception, RequestDataTooBig):
        return error_response(TooLarge("The body is too large"), request)
    return error_response(Malformed("The request cannot be read"), request)


def permission_denied(request: HttpRequest, exception: Exception | None = None) -> HttpResponse:
    if envelope_for(request.path) is None:
        return render_page(request, "errors/403.html", {"reason": str(exception or "")}, status=403)
    return error_response(ApiError("This is not allowed", status=403, code="forbidden"), request)


def csrf_failure(request: HttpRequest, reason: str = "") -> HttpResponse:
    """A form that was open too long, or came from elsewhere."""
    log.warning("form refused: %s", reason)
    text = "The form has expired or came from another site. Go back, reload the page and send it again."
    if envelope_for(request.path) is None:
        return render_page(request, "errors/403.html", {"reason": text}, status=403)
    return error_response(ApiError(text, status=403, code="forbidden"), request)
