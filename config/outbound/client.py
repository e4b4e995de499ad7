"""One HTTP/1.1 exchange at a time, through sockets judged first. No pool, no cookies, no proxies."""

import contextlib
import logging
import time
from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from datetime import datetime
from http.client import HTTPException, LineTooLong

from cryptography import x509
from urllib3 import HTTPHeaderDict
from urllib3.connection import HTTPConnection
from urllib3.exceptions import HTTPError, ReadTimeoutError
from urllib3.response import HTTPResponse

from .addresses import Policy, default_policy
from .errors import OutboundError, TooLarge, Unreachable
from .messages import Headers, Message, build, redirected
from .phases import Phases
from .sockets import Leash, LeashedSocket, LeashedTlsSocket, dial, lookup, secure
from .urls import Target, parse_url

MAX_HEADERS = 64 * 1024  # bytes of status line and headers, interim answers included
_READ = 64 * 1024
_REDIRECTS = frozenset({301, 302, 303, 307, 308})

# On malformed headers that logger writes the whole URL, and the URL of a chat webhook is a secret.
logging.getLogger("urllib3.connection").setLevel(logging.ERROR)


@dataclass(frozen=True)
class Timings:
    """Milliseconds. The parts are those of the last hop; `total_ms` covers everything, redirects included."""

    dns_ms: float
    connect_ms: float
    tls_ms: float | None  # None without TLS
    first_byte_ms: float  # from the start of sending the request
    total_ms: float


@dataclass(frozen=True)
class Reply:
    """An answer, whatever its status. `body` is decoded; `url` and `peer` are those of the last hop.

    `request` holds the first 64 KiB that were sent, `bytes_sent` and `bytes_received` count all hops, without TLS.
    """

    status: int
    reason: str  # as the server wrote it
    headers: HTTPHeaderDict = field(repr=False)  # case-insensitive; repeated ones joined by ", "
    body: bytes = field(repr=False)
    url: str = field(repr=False)
    peer: str  # the address that was connected to
    redirects: int
    certificate_ends_at: datetime | None  # UTC; None without TLS
    timings: Timings
    phases: Phases
    request: bytes = field(repr=False)
    bytes_sent: int
    bytes_received: int

    def certificate_days_left(self, now: datetime) -> float | None:
        """Days until the peer's certificate ends, below 0 when it has ended; None without TLS."""
        ends_at = self.certificate_ends_at
        return (ends_at - now).total_seconds() / 86_400 if ends_at else None


@dataclass(frozen=True)
class _Limits:
    leash: Leash
    policy: Policy
    max_bytes: int
    verify_tls: bool
    follow_redirects: bool


def request(
    method: str,
    url: str,
    *,
    headers: Headers | None = None,
    body: bytes | str | None = None,
    timeout_s: float = 10.0,
    max_bytes: int = 1 << 20,
    follow_redirects: bool = False,
    max_redirects: int = 5,
    verify_tls: bool = True,
    policy: Policy | None = None,
    names_host: bool = False,
) -> Reply:
    """Send one request and read its whole answer (contract: fleet console §11 outbound guard, monitors §8.5).

    `timeout_s` bounds everything together: look-up, connection, TLS, sending, redirects, the last byte.
    `max_bytes` bounds the decoded body. A str body is sent as UTF-8. Without a policy the settings' holds.
    A redirect to another origin takes only harmless headers along. `names_host` allows a `Host` header. Any HTTP
    status is a `Reply`; all else raises an `OutboundError`, which tells how far the call got: `BadRequest`, `BadUrl`,
    `Refused`, `TimedOut`, `TooLarge`, `Unreachable`, `TlsFailed`.
    """
    leash, policy = Leash(timeout_s), policy or default_policy()
    limits = _Limits(leash, policy, max_bytes, verify_tls, follow_redirects)
    message, target = build(method, headers or {}, body, names_host=names_host), parse_url(url)
    try:
        for redirects in range(max_redirects + 1):
            reply, location = _exchange(target, message, limits)
            if location is None:
                return replace(reply, redirects=redirects)
            leash.keeping = False
            target, message = redirected(target, message, reply.status, location)
        raise Unreachable(f"{target.host} redirects more than {max_redirects} times.")
    except OutboundError as error:
        error.phase = leash.phase
        leash.enter(None)
        error.phases, error.request = leash.phases, leash.kept
        raise


def _exchange(target: Target, message: Message, limits: _Limits) -> tuple[Reply, str | None]:
    """One hop: the reply, and where to go when it is a redirect to follow (its body is then not read)."""
    leash, before = limits.leash, limits.leash.phases
    leash.enter("dns")
    addresses = lookup(target.host, limits.policy, leash)
    leash.enter("connect")
    sock = dial(addresses, target.port, leash, LeashedSocket)
    sock.leash = leash
    if target.scheme == "https":
        leash.enter("tls")
        sock = secure(sock, target.host, limits.verify_tls)
    leash.enter("first_byte")
    with contextlib.closing(sock), _translated(leash):
        peer, certificate_ends_at = sock.getpeername()[0], _certificate_ends_at(sock)
        response = _send(sock, target, message, leash)
        follow = limits.follow_redirects and response.status in _REDIRECTS
        location = response.headers.get("location") if follow else None
        body = b"" if location is not None else _read(response, leash, limits.max_bytes)
    leash.enter(None if location is None else "download")
    hop = leash.phases.since(before)
    reply = Reply(
        status=response.status,
        reason=response.reason or "",
        headers=response.headers,
        body=body,
        url=target.url,
        peer=peer,
        redirects=0,
        certificate_ends_at=certificate_ends_at,
        timings=Timings(
            dns_ms=hop.dns,
            connect_ms=hop.connect,
            tls_ms=hop.tls if target.scheme == "https" else None,
            first_byte_ms=hop.first_byte,
            total_ms=(time.monotonic() - leash.started_at) * 1000,
        ),
        phases=leash.phases,
        request=leash.kept,
        bytes_sent=leash.sent_bytes,
        bytes_received=leash.received_bytes,
    )
    return reply, location


class _Connection(HTTPConnection):
    leash: Leash

    def send(self, data: bytes) -> None:
        self.leash.sent(data)
        super().send(data)


def _send(sock: LeashedSocket, target: Target, message: Message, leash: Leash) -> HTTPResponse:
    """Send the request over the given socket and read status and headers."""
    leash.allow(MAX_HEADERS, "set of headers")
    connection = _Connection(target.host, target.port, timeout=leash.remaining_s())
    connection.sock = sock  # already connected to the judged address: urllib3 never looks the name up
    connection.leash = leash
    headers = HTTPHeaderDict() if "Host" in message.headers else HTTPHeaderDict({"Host": target.authority})
    headers.extend(message.headers)
    headers["Connection"] = "close"
    # A server may answer and close before it has read the whole body; its answer is worth reading.
    with contextlib.suppress(BrokenPipeError):
        connection.request(message.method, target.path, body=message.body, headers=headers, preload_content=False)
    try:
        return connection.getresponse()
    except HTTPException as error:
        if isinstance(error, LineTooLong) or type(error) is HTTPException:  # the latter: more than 100 headers
            raise TooLarge(f"{target.host} sent larger or more headers than allowed.") from error
        raise


def _read(response: HTTPResponse, leash: Leash, max_bytes: int) -> bytes:
    """The decoded body. The budget on the wire also ends chunk headers, trailers and padding without end."""
    leash.allow(6 * max_bytes + MAX_HEADERS, "body")
    body = bytearray()
    while chunk := response.read(min(_READ, max_bytes + 1 - len(body)), decode_content=True):
        body += chunk
        if len(body) > max_bytes:
            raise TooLarge(f"{leash.host} sent more than {max_bytes} bytes.")
        leash.remaining_s()
    return bytes(body)


def _certificate_ends_at(sock: LeashedSocket) -> datetime | None:
    der = sock.getpeercert(binary_form=True) if isinstance(sock, LeashedTlsSocket) else None
    return x509.load_der_x509_certificate(der).not_valid_after_utc if der else None


@contextlib.contextmanager
def _translated(leash: Leash) -> Iterator[None]:
    """Turn what sockets (TLS included), http.client and urllib3 raise into this package's errors."""
    try:
        yield
    except (TimeoutError, ReadTimeoutError) as error:
        raise leash.timed_out() from error
    except (HTTPException, HTTPError, OSError, ValueError) as error:
        raise Unreachable(f"{leash.host} broke the connection or did not answer in proper HTTP.") from error
