"""The address of a request: the URL with its parameters (contract: load testing §8.2, §9.1). Pure."""

import re
from collections.abc import Iterable
from dataclasses import dataclass
from urllib.parse import quote, unquote, urlsplit, urlunsplit

from loadtest.composing.auth import basic
from loadtest.composing.bodies import percent
from loadtest.composing.errors import ComposeError
from loadtest.composing.variables import names_in

# What a URL may hold as it is (RFC 3986); "%" too, since what is encoded stays encoded.
_LEGAL = "/?:@!$&'()*+,;=~-._%[]"
_BROKEN_PERCENT = re.compile(r"%(?![0-9A-Fa-f]{2})")


@dataclass(frozen=True)
class Address:
    """`authorization` is what a user name in the URL asks for; the URL itself then holds none."""

    url: str
    authorization: str = ""


def address(url: str, params: Iterable[tuple[str, str]]) -> Address:
    """The absolute URL with `params` after its own query. Raises ComposeError (INVALID_URL)."""
    try:
        parts = urlsplit(url.strip())
        host, user, password, _ = parts.hostname, parts.username, parts.password, parts.port
    except ValueError:
        raise _invalid("is malformed") from None
    if unknown := names_in(parts.netloc or url):
        raise _invalid(f"holds {{{{{unknown[0]}}}}}, which no variable defines")
    if parts.scheme not in ("http", "https"):
        raise _invalid("must start with http:// or https://")
    if not host:
        raise _invalid("names no host")
    query = "&".join(
        [*filter(None, [legal(parts.query)]), *(f"{percent(key)}={percent(value)}" for key, value in params)]
    )
    authority = parts.netloc.rpartition("@")[2]
    return Address(
        urlunsplit((parts.scheme, authority, legal(parts.path) or "/", query, "")),
        "" if user is None else basic(unquote(user), unquote(password or "")),
    )


def legal(part: str) -> str:
    """A part of a URL with what it may not hold percent-encoded."""
    return quote(_BROKEN_PERCENT.sub("%25", part), safe=_LEGAL, errors="replace")


def _invalid(problem: str) -> ComposeError:
    return ComposeError(f"The URL {problem}", error_code="INVALID_URL")
