"""A request as bytes, made once before the run, and the addresses it goes to."""

import re
import socket
import ssl
import time
from base64 import b64encode
from collections.abc import Sequence
from dataclasses import dataclass
from urllib.parse import quote, unquote, urlsplit

from loadtest.engine.plan import PlanError

METHODS = ("GET", "POST", "PUT", "DELETE", "PATCH", "HEAD", "OPTIONS")
IDEMPOTENT = frozenset({"GET", "HEAD", "OPTIONS", "PUT", "DELETE"})  # RFC 9110 §9.2.2: may be sent twice
USER_AGENT = "pharos-load"

_TOKEN = re.compile(r"[!#$%&'*+\-.^_`|~0-9A-Za-z]+").fullmatch
_UNSENDABLE = re.compile(r"[\r\n\0]").search


class Unreachable(Exception):
    """The target's name does not resolve, or nothing answers at its addresses."""


@dataclass(frozen=True)
class Target:
    """Where requests go. `path` is what the request line says: percent-encoded, with the query."""

    scheme: str
    host: str
    port: int
    path: str
    authorization: str = ""

    @property
    def tls(self) -> bool:
        return self.scheme == "https"

    @property
    def authority(self) -> str:
        host = f"[{self.host}]" if ":" in self.host else self.host
        return host if self.port == (443 if self.tls else 80) else f"{host}:{self.port}"


def parse_url(url: str) -> Target:
    """Raises PlanError for what is no http or https address."""
    if "://" not in url:
        url = f"http://{url}"
    try:
        parts = urlsplit(url)
        host, port = parts.hostname, parts.port
    except ValueError as error:
        raise PlanError("url", f"is malformed ({error})") from error
    if parts.scheme not in ("http", "https"):
        raise PlanError("url", "must start with http:// or https://")
    if not host:
        raise PlanError("url", "names no host")
    if port == 0:
        raise PlanError("url", "port 0 cannot be reached")
    if not host.isascii():
        try:
            host = host.encode("idna").decode()
        except UnicodeError as error:
            raise PlanError("url", f"the host's name is malformed ({error})") from error
    if re.search(r"[\s\x00-\x1f\x7f]", host):
        raise PlanError("url", "the host's name holds a blank or control character")
    path = quote(parts.path or "/", safe="/%:@!$&'()*+,;=~") + (
        "?" + quote(parts.query, safe="/%:@!$&'()*+,;=~?[]") if parts.query else ""
    )
    authorization = ""
    if parts.username is not None:
        credentials = f"{unquote(parts.username)}:{unquote(parts.password or '')}"
        authorization = f"Basic {b64encode(credentials.encode()).decode()}"
    return Target(parts.scheme, host, port or (443 if parts.scheme == "https" else 80), path, authorization)


def render(target: Target, *, method: str = "GET", headers: Sequence[tuple[str, str]] = (), body: bytes = b"") -> bytes:
    """The whole request. Headers given replace the usual ones, whatever their case. Raises PlanError.

    No Accept-Encoding is sent unless given: bodies are measured as the server sends them.
    """
    if method not in METHODS:
        raise PlanError("method", f"must be one of {', '.join(METHODS)}")
    if method == "HEAD" and body:
        raise PlanError("body", "HEAD carries none")
    usual = {"Host": target.authority, "User-Agent": USER_AGENT, "Accept": "*/*"}
    if target.authorization:
        usual["Authorization"] = target.authorization
    if body or method in ("POST", "PUT", "PATCH"):
        usual["Content-Length"] = str(len(body))
    given = {name.lower() for name, _ in headers}
    for name, value in headers:
        _check_header(name, value, body)
    lines = [f"{method} {target.path} HTTP/1.1"]
    lines += [f"{name}: {value}" for name, value in usual.items() if name.lower() not in given]
    lines += [f"{name}: {value.strip()}" for name, value in headers]
    return "\r\n".join(lines).encode() + b"\r\n\r\n" + body


def _check_header(name: str, value: str, body: bytes) -> None:
    if not _TOKEN(name):
        raise PlanError("header", f"{name!r} is no name of a header")
    if _UNSENDABLE(value):
        raise PlanError("header", f"the value of {name} holds a line break or NUL")
    if name.lower() == "transfer-encoding":
        raise PlanError("header", "bodies are sent with Content-Length; Transfer-Encoding cannot be given")
    if name.lower() == "content-length" and value.strip() != str(len(body)):
        raise PlanError("header", f"Content-Length {value} contradicts the body of {len(body)} bytes")


@dataclass(frozen=True)
class Resolution:
    """The addresses of a name, once for the whole run, and how long the look-up took."""

    addresses: tuple[tuple[str, int], ...]
    took_us: int


def resolve(target: Target) -> Resolution:
    """Look the name up. Raises Unreachable. The resolver's own time-out holds."""
    started = time.perf_counter_ns()
    try:
        found = socket.getaddrinfo(target.host, target.port, type=socket.SOCK_STREAM)
    except (OSError, UnicodeError) as error:
        raise Unreachable(f"{target.host} does not resolve: {error}") from error
    took_us = (time.perf_counter_ns() - started) // 1000
    addresses = dict.fromkeys((str(address[0]), int(address[1])) for *_, address in found)
    return Resolution(tuple(addresses), took_us)


def reachable(resolution: Resolution, *, timeout_s: float = 5.0) -> Resolution:
    """The resolution without the addresses in front at which nobody listens. Raises Unreachable if none is left."""
    failure: OSError | None = None
    for index, address in enumerate(resolution.addresses):
        try:
            socket.create_connection(address, timeout=timeout_s).close()
        except OSError as error:
            failure = error
        else:
            return Resolution(resolution.addresses[index:], resolution.took_us)
    host, port = resolution.addresses[0]
    raise Unreachable(f"nothing answers at {host} port {port}: {failure}")


def tls_context(*, verify: bool, ca_file: str = "") -> ssl.SSLContext:
    """Certificates are checked against the system's authorities and `ca_file`, or not at all. HTTP/1.1 is asked for."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    if verify:
        context.load_default_certs()  # some tenths of a second on a busy machine
    else:
        context.check_hostname = False
        context.verify_mode = ssl.CERT_NONE
    if ca_file:
        context.load_verify_locations(ca_file)
    context.set_alpn_protocols(["http/1.1"])
    return context
