"""A request as it is sent: variables, parameters, auth and body put together (contract: load testing §7, §8). Pure."""

import re
from collections.abc import Callable, Mapping
from functools import partial
from typing import Any

from config.version import VERSION
from loadtest.composing import auth
from loadtest.composing.addresses import Address, address
from loadtest.composing.bodies import Text, encode
from loadtest.composing.errors import ComposeError
from loadtest.composing.prepared import Header, Prepared
from loadtest.composing.rows import plain, rows
from loadtest.composing.variables import Scopes, substitute
from loadtest.engine import requests as engine
from loadtest.engine.dynamic import NAMES, Marks, Template
from loadtest.engine.plan import PlanError

__all__ = ["METHODS", "USER_AGENT", "ComposeError", "Prepared", "compose", "method_of"]

METHODS = engine.METHODS
USER_AGENT = f"Pharos/{VERSION}"

_NAME = re.compile(r"[!#$%&'*+\-.^_`|~0-9A-Za-z]+")
_BREAK = re.compile(r"[\r\n\0]")


def method_of(value: Any) -> str:
    """The method in capitals. Raises ComposeError (INVALID_METHOD)."""
    method = value.upper() if isinstance(value, str) else ""
    if method not in METHODS:
        raise ComposeError("Invalid HTTP method", error_code="INVALID_METHOD")
    return method


def compose(
    definition: Mapping[str, Any],
    scopes: Scopes,
    inherited_auth: Mapping[str, Any] | None = None,
    *,
    live: bool = False,
) -> Prepared:
    """What is sent for a request of §9.1: `method`, `url`, `headers`, `params`, `body`, `bodyType`, `auth`.

    With `live`, dynamic names become parts of `Prepared.template`, for a value of its own in every request. Raises
    ComposeError, whose `error_code` is INVALID_URL, INVALID_METHOD or empty.
    """
    marks = Marks()
    once = partial(substitute, scopes=scopes)
    raw, encoded = (_marking(scopes, marks, encoded=way) for way in (False, True)) if live else (once, once)
    method = method_of(definition.get("method"))
    own_auth = definition.get("auth")
    if not isinstance(own_auth, Mapping | None):
        raise ComposeError("'auth' must be an object")
    added, added_params = _auth(auth.effective(own_auth, inherited_auth), raw, encoded, once)
    params = [(encoded(key), encoded(plain(value, f"params.{key}"))) for key, value in _rows(definition, "params")]
    where = _address(definition.get("url"), [*params, *added_params], encoded, once, marks)
    body = encode(definition.get("body"), definition.get("bodyType"), Text(raw, encoded))
    if method == "HEAD" and body.data:
        raise ComposeError("A HEAD request carries no body", error_code="INVALID_METHOD")
    headers = [(raw(key), raw(plain(value, f"headers.{key}"))) for key, value in _rows(definition, "headers")]
    if body.ours:
        headers = [header for header in headers if header[0].lower() != "content-type"]
    if where.authorization:
        added.insert(0, ("Authorization", where.authorization))
    defaults = [*added, ("Content-Type", body.content_type), ("User-Agent", USER_AGENT)]
    headers = checked(_with_defaults(headers, defaults))
    return _prepared(method, where.url, headers, body.data, marks)


def _rows(definition: Mapping[str, Any], name: str) -> list[tuple[str, Any]]:
    return rows(definition.get(name), name)


def _marking(scopes: Scopes, marks: Marks, *, encoded: bool) -> Callable[[str], str]:
    """Substitution that leaves a stand-in for each dynamic name."""

    def mark(name: str) -> str | None:
        return marks.mark(name, encoded=encoded) if name in NAMES else None

    return partial(substitute, scopes=scopes, dynamic=mark)


def _auth(
    found: auth.Auth | None, raw: Callable[[str], str], encoded: Callable[[str], str], once: Callable[[str], str]
) -> tuple[list[Header], list[Header]]:
    in_query = (found or {}).get("in") == "query" or (found or {}).get("addTo") == "query"

    def text(change: Callable[[str], str], value: Any) -> str:
        return change(plain(value, "auth"))

    return auth.headers_and_params(found, partial(text, encoded if in_query else raw), partial(text, once))


def _address(
    url: Any, params: list[Header], encoded: Callable[[str], str], once: Callable[[str], str], marks: Marks
) -> Address:
    """The address; where a dynamic name lies in the host it is drawn once, for a run has one target."""
    if not isinstance(url, str) or not url.strip():
        raise ComposeError("The URL is empty", error_code="INVALID_URL")
    text = encoded(url)
    before_path = re.match(r"[^/?#]*(//[^/?#]*)?", text.strip())
    if before_path and marks.drawn(before_path[0]) != before_path[0]:
        text = once(url)
    return address(text, params)


def _with_defaults(headers: list[Header], defaults: list[Header]) -> list[Header]:
    """The headers, and those defaults whose names they do not hold; the first of two equal defaults counts."""
    for name, value in defaults:
        if value and name.lower() not in {given.lower() for given, _ in headers}:
            headers = [*headers, (name, value)]
    return headers


def checked(headers: list[Header]) -> list[Header]:
    """The headers if they can be sent; raises ComposeError. Nothing that ends a line gets into a request."""
    for name, value in headers:
        if _BREAK.search(name) or _BREAK.search(value):
            raise ComposeError(f"Header '{_BREAK.sub(' ', name)[:100]}' contains a line break")
        if not _NAME.fullmatch(name):
            raise ComposeError(f"Header '{name[:100]}' has a name that cannot be sent")
    return headers


def _prepared(method: str, url: str, headers: list[Header], body: bytes, marks: Marks) -> Prepared:
    template: Template = ()
    if marks:
        try:
            whole = engine.render(engine.parse_url(url), method=method, headers=headers, body=body)
        except PlanError as error:
            code = "INVALID_URL" if error.field == "url" else ""
            raise ComposeError(f"The request cannot be sent: {error}", error_code=code) from error
        template = marks.template(whole)
        template = template if any(isinstance(part, str) for part in template) else ()
    shown = tuple((marks.drawn(name), marks.drawn(value)) for name, value in headers)
    return Prepared(method, marks.drawn(url), shown, marks.drawn_bytes(body), template)
