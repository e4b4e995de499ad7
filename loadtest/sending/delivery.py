"""One request on its way, and what came back of it (contract: load testing §9.2, §9.3)."""

import logging
import time
from collections.abc import Mapping
from dataclasses import dataclass, field
from http import HTTPStatus

from config import outbound
from config.api.errors import Invalid
from config.outbound import BadRequest, BadUrl, OutboundError, Phases, Refused, TimedOut, TlsFailed, Unreachable
from loadtest.composing.compose import Prepared

from .asked import Asked
from .contents import Content, content_of

MAX_BODY = 32 << 20  # bytes, decoded
# The client's own business. Requests that were copied from elsewhere often carry them; they mean nothing here.
_LEFT_OUT = frozenset(
    {"content-length", "transfer-encoding", "te", "trailer", "expect", "upgrade"}
    | {"connection", "keep-alive", "proxy-connection", "proxy-authorization"}
)
_BY_PHASE = {"dns": "DNS_ERROR", "connect": "CONNECTION_FAILED", "tls": "SSL_ERROR", "first_byte": "CONNECTION_FAILED"}

log = logging.getLogger(__name__)


@dataclass(frozen=True, kw_only=True)
class Delivery:
    """What became of a request; `code` is 0 and `error_code` says why when there was no HTTP response.

    Times in milliseconds. `raw` holds the first 64 KiB that were sent; header names of the response are in lower case.
    """

    code: int = 0
    reason: str = "Error"
    headers: Mapping[str, str] = field(default_factory=dict)
    content: Content = Content("", False, b"")
    total_ms: float = 0.0
    phases: Phases = Phases()
    raw: bytes = b""
    bytes_sent: int = 0
    bytes_received: int = 0
    error_code: str = ""
    error_message: str = ""

    @property
    def timing(self) -> dict[str, float]:
        """The eight times of §9.3 by their names without a unit."""
        wire = self.phases.total
        return {
            "total": self.total_ms,
            "wire": wire,
            "queueWait": max(0.0, self.total_ms - wire),
            "dns": self.phases.dns,
            "connect": self.phases.connect,
            "tls": self.phases.tls,
            "firstByte": self.phases.first_byte,
            "download": self.phases.download,
        }


def deliver(prepared: Prepared, asked: Asked) -> Delivery:
    """Send, and wait for the answer or the failure. Raises Invalid for a header that cannot be sent."""
    began = time.monotonic()
    try:
        reply = outbound.request(
            prepared.method,
            prepared.url,
            headers=[header for header in prepared.headers if header[0].lower() not in _LEFT_OUT],
            body=prepared.body or None,
            timeout_s=asked.timeout_ms / 1000,
            max_bytes=MAX_BODY,
            follow_redirects=asked.follow_redirects and asked.max_redirects > 0,
            max_redirects=asked.max_redirects,
            verify_tls=asked.verify,
            names_host=True,
        )
    except OutboundError as error:
        if isinstance(error, BadRequest) and not isinstance(error, BadUrl):
            raise Invalid(str(error)) from error
        return _failed(error, began)
    except Exception:
        log.exception("a request by hand failed in a way that nobody foresaw")
        return undeliverable("INTERNAL_ERROR", "The request could not be carried out")
    headers = {name.lower(): reply.headers[name] for name in reply.headers}
    return Delivery(
        code=reply.status,
        reason=reply.reason or _phrase(reply.status),
        headers=headers,
        content=content_of(reply.body, headers),
        total_ms=_since(began),
        phases=reply.phases,
        raw=reply.request,
        bytes_sent=reply.bytes_sent,
        bytes_received=reply.bytes_received,
    )


def undeliverable(code: str, message: str) -> Delivery:
    """A request that could not even be put together."""
    return Delivery(error_code=code, error_message=message)


def _failed(error: OutboundError, began: float) -> Delivery:
    return Delivery(
        error_code=_code(error),
        error_message=str(error),
        total_ms=_since(began),
        phases=error.phases,
        raw=error.request,
        bytes_sent=len(error.request),
    )


def _code(error: OutboundError) -> str:
    """By kind, and by how far the call had got (contract: load testing §14.5)."""
    match error:
        case BadUrl():
            return "INVALID_URL"
        case TimedOut():
            return "TIMEOUT"
        case TlsFailed():
            return "SSL_ERROR"
        case Refused():
            return "CONNECTION_FAILED"
        case Unreachable():
            return _BY_PHASE.get(error.phase or "", "INTERNAL_ERROR")
    return "INTERNAL_ERROR"


def _since(began: float) -> float:
    return (time.monotonic() - began) * 1000


def _phrase(code: int) -> str:
    try:
        return HTTPStatus(code).phrase
    except ValueError:
        return ""
