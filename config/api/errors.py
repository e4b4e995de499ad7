"""The family of errors that services raise. Nothing below the edges knows HTTP beyond these numbers."""

from typing import Any


class ApiError(Exception):
    """A request that cannot be granted: an HTTP status, a short code and one sentence for a person.

    `details` maps field names to lists of sentences; `extra` holds members that an envelope adds to its body.
    """

    status = 400
    code = "invalid_request"

    def __init__(
        self,
        message: str,
        *,
        details: dict[str, list[str]] | None = None,
        status: int | None = None,
        code: str | None = None,
        **extra: Any,
    ) -> None:
        super().__init__(message)
        self.message = message
        self.details = details
        self.extra = extra
        self.status = status or self.status
        self.code = code or self.code


class Invalid(ApiError):
    """The input breaks a rule. Envelopes map this to their validation status."""

    status, code = 400, "validation"


class Malformed(ApiError):
    """The body cannot be read at all."""

    status, code = 400, "malformed"


class Unauthorized(ApiError):
    status, code = 401, "unauthorized"


class Forbidden(ApiError):
    status, code = 403, "forbidden"


class NotFound(ApiError):
    status, code = 404, "not_found"


class Conflict(ApiError):
    status, code = 409, "conflict"


class TooLarge(ApiError):
    status, code = 413, "payload_too_large"


class TooMany(ApiError):
    """Too many requests; `extra["retry_after"]` tells the seconds to wait."""

    status, code = 429, "rate_limited"


class BadGateway(ApiError):
    status, code = 502, "bad_gateway"


class Unavailable(ApiError):
    status, code = 503, "unavailable"
