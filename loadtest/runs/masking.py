"""What a run's row may show of the body it was started with (contract: load testing §6, §13)."""

import re
from collections.abc import Iterable
from typing import Any

from security.vault.syntax import SHORTEST_HIDDEN

MASK = "********"
_SECRET_NAME = re.compile(
    r"authorization|cookie|api[-_]?key|token|secret|password|passwd|credential|signature|session", re.IGNORECASE
)
_AUTH_OPEN = frozenset({"mode", "type", "username", "key", "in", "addTo", "grantType", "grant_type", "scope"})
_USER_INFO = re.compile(r"(?<=://)[^/?#@\s]*@")
_QUERY = re.compile(r"(?<=[?&])([^=&#\s]+)=([^&#\s]*)")


def masked_config(body: dict[str, Any], secrets: Iterable[str] = ()) -> dict[str, Any]:
    """The body without credentials: those of `auth`, of headers and parameters that sound secret, of the URL's user.

    `secrets` are values that must not appear anywhere, such as those of secret variables.
    """
    hidden = dict(body)
    if isinstance(body.get("auth"), dict):
        hidden["auth"] = {name: value if name in _AUTH_OPEN else _mask(value) for name, value in body["auth"].items()}
    for name in ("headers", "params"):
        hidden[name] = _pairs(body[name]) if name in body else None
    if isinstance(body.get("url"), str):
        hidden["url"] = masked_url(body["url"])
    return storable(without({name: value for name, value in hidden.items() if name in body}, secrets))


def storable(value: Any) -> Any:
    """The JSON value without what PostgreSQL's JSON cannot hold: the character 0, and halves of characters."""
    if isinstance(value, str):
        if value.isascii() and "\0" not in value:
            return value
        whole = value.encode("utf-16", errors="surrogatepass").decode("utf-16", errors="replace")
        return whole.replace("\0", "\N{SYMBOL FOR NULL}")
    if isinstance(value, dict):
        return {storable(name): storable(inner) for name, inner in value.items()}
    return [storable(inner) for inner in value] if isinstance(value, list) else value


def masked_url(url: str) -> str:
    """The URL without its user and password, and without the values of parameters that sound secret."""
    bare = _USER_INFO.sub(f"{MASK}@", url)
    return _QUERY.sub(
        lambda found: f"{found[1]}={_mask(found[2])}" if _SECRET_NAME.search(found[1]) else found[0], bare
    )


def without(value: Any, secrets: Iterable[str]) -> Any:
    """The same JSON value with the mask in place of each secret, wherever it stands in a string."""
    known = sorted({secret for secret in secrets if len(secret) >= SHORTEST_HIDDEN}, key=len, reverse=True)
    return _without(value, known) if known else value


def _without(value: Any, secrets: list[str]) -> Any:
    if isinstance(value, str):
        for secret in secrets:
            value = value.replace(secret, MASK)
        return value
    if isinstance(value, dict):
        return {_without(name, secrets): _without(inner, secrets) for name, inner in value.items()}
    if isinstance(value, list):
        return [_without(inner, secrets) for inner in value]
    return value


def _pairs(pairs: Any) -> Any:
    if isinstance(pairs, dict):
        return {name: _mask(value) if _SECRET_NAME.search(name) else value for name, value in pairs.items()}
    if isinstance(pairs, list):
        return [_row(row) for row in pairs]
    return pairs


def _row(row: Any) -> Any:
    if isinstance(row, dict) and _SECRET_NAME.search(str(row.get("key", ""))):
        return row | {"value": _mask(row.get("value", ""))}
    return row


def _mask(value: Any) -> Any:
    """The mask; an empty value, and one that only names a variable, hides nothing."""
    if value in ("", None, {}, []) or (isinstance(value, str) and re.fullmatch(r"(\w+ )?\{\{[^{}]*\}\}", value)):
        return value
    return MASK
