"""What is sent: a checked method, headers and body, and how a redirect changes them."""

import re
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field, replace
from urllib.parse import quote, urljoin

from urllib3 import HTTPHeaderDict

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
Headers = Mapping[str, str] | Iterable[tuple[str, str]]
_URL_CHARACTERS = ":/?#[]@!$&'()*+,;=%~-._"


@dataclass(frozen=True)
class Message:
    method: str
    headers: HTTPHeaderDict = field(repr=False)  # `items()` gives repeated ones one by one
    body: bytes | None = field(repr=False)


def build(method: str, headers: Headers, body: bytes | str | None, *, names_host: bool = False) -> Message:
    """The message to send, with default headers added; raises `BadRequest` that never repeats a value.

    With `names_host` the caller's `Host` header is sent, to the address that the URL leads to.
    """
    method = method.upper()
    if not _METHOD.fullmatch(method) or method in ("CONNECT", "TRACE"):
        raise BadRequest("The method is not one that may be sent.")
    pairs = list(headers.items() if isinstance(headers, Mapping) else headers)
    for name, value in pairs:
        if not _HEADER_NAME.fullmatch(name):
            raise BadRequest("A header name is empty or contains characters that headers cannot carry.")
        if name.lower() in _OWN_HEADERS and not (names_host and name.lower() == "host"):
            raise BadRequest(f"The header {name} cannot be set.")
        if not _HEADER_VALUE.fullmatch(value):
            raise BadRequest(f"The value of the header {name} contains characters that headers cannot carry.")
    given = {name.lower() for name, _ in pairs}
    defaults = [(name, value) for name, value in _DEFAULTS.items() if name.lower() not in given]
    return Message(method, HTTPHeaderDict(defaults + pairs), body.encode() if isinstance(body, str) else body)


def redirected(target: Target, message: Message, status: int, location: str) -> tuple[Target, Message]:
    """Where a redirect leads and what is sent there; raises `BadUrl` when it leads to no http(s) URL."""
    raw = location.encode("latin-1")  # the bytes of the header; some servers send UTF-8 or spaces
    following = parse_url(urljoin(target.url, quote(raw, safe=_URL_CHARACTERS)))
    if (status == 303 and message.method != "HEAD") or (status in (301, 302) and message.method == "POST"):
        message = Message("GET", _only(message.headers, lambda name: name != "content-type"), None)
    if not _same_party(target, following):
        message = replace(message, headers=_only(message.headers, _HARMLESS.__contains__))
    return following, message


def _only(headers: HTTPHeaderDict, keep: Callable[[str], bool]) -> HTTPHeaderDict:
    return HTTPHeaderDict([(name, value) for name, value in headers.items() if keep(name.lower())])


def _same_party(target: Target, following: Target) -> bool:
    """The same origin, or the usual step from http to https of the same host."""
    ports = (target.scheme, target.port), (following.scheme, following.port)
    return target.host == following.host and (ports[0] == ports[1] or ports == (("http", 80), ("https", 443)))
