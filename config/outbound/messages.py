"""What is sent: a checked method, headers and body, and how a redirect changes them."""

import re
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from urllib.parse import quote, urljoin

from config.version import VERSION

from .errors import BadRequest
from .urls import Target, parse_url

_METHOD = re.compile(r"[A-Z]{1,20}")
_HEADER_NAME = re.compile(r"[!#$%&'*+.^_`|~0-9A-Za-z-]{1,256}")
_HEADER_VALUE = re.compile(r"[\t\x20-\x7e\x80-\xff]*")
# Framing and connection are this client's business; a second opinion on them is how requests are smuggled.
_OWN_HEADERS = frozenset(
    {"host", "content-length", "transfer-encoding", "te", "trailer", "expect", "upgrade"}
    | {"connection", "keep-alive", "proxy-connection", "proxy-authorization"}
)
# What may follow a redirect to another origin: anything else may be a secret meant for the first one.
_HARMLESS = frozenset({"accept", "accept-language", "accept-encoding", "content-type", "user-agent"})
_DEFAULTS = {"User-Agent": f"Pharos/{VERSION}", "Accept": "*/*", "Accept-Encoding": "gzip, deflate"}
_URL_CHARACTERS = ":/?#[]@!$&'()*+,;=%~-._"


@dataclass(frozen=True)
class Message:
    method: str
    headers: dict[str, str] = field(repr=False)
    body: bytes | None = field(repr=False)


def build(method: str, headers: Mapping[str, str], body: bytes | str | None) -> Message:
    """The message to send, with default headers added; raises `BadRequest` that never repeats a value."""
    method = method.upper()
    if not _METHOD.fullmatch(method) or method in ("CONNECT", "TRACE"):
        raise BadRequest("The method is not one that may be sent.")
    for name, value in headers.items():
        if not _HEADER_NAME.fullmatch(name):
            raise BadRequest("A header name is empty or contains characters that headers cannot carry.")
        if name.lower() in _OWN_HEADERS:
            raise BadRequest(f"The header {name} cannot be set.")
        if not _HEADER_VALUE.fullmatch(value):
            raise BadRequest(f"The value of the header {name} contains characters that headers cannot carry.")
    given = {name.lower() for name in headers}
    defaults = {name: value for name, value in _DEFAULTS.items() if name.lower() not in given}
    return Message(method, defaults | dict(headers), body.encode() if isinstance(body, str) else body)


def redirected(target: Target, message: Message, status: int, location: str) -> tuple[Target, Message]:
    """Where a redirect leads and what is sent there; raises `BadUrl` when it leads to no http(s) URL."""
    raw = location.encode("latin-1")  # the bytes of the header; some servers send UTF-8 or spaces
    following = parse_url(urljoin(target.url, quote(raw, safe=_URL_CHARACTERS)))
    if (status == 303 and message.method != "HEAD") or (status in (301, 302) and message.method == "POST"):
        headers = {name: value for name, value in message.headers.items() if name.lower() != "content-type"}
        message = Message("GET", headers, None)
    if not _same_party(target, following):
        headers = {name: value for name, value in message.headers.items() if name.lower() in _HARMLESS}
        message = replace(message, headers=headers)
    return following, message


def _same_party(target: Target, following: Target) -> bool:
    """The same origin, or the usual step from http to https of the same host."""
    ports = (target.scheme, target.port), (following.scheme, following.port)
    return target.host == following.host and (ports[0] == ports[1] or ports == (("http", 80), ("https", 443)))
