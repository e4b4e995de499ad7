"""Entries as plain JSON: one form to store and read back, one to show."""

import math
from typing import Any, TypeVar

import msgspec

MASK = "********"
SHOWN = 1000  # values or rows of a generator; of more only their number
_T = TypeVar("_T")


def stored(struct: msgspec.Struct) -> dict[str, Any]:
    """JSON that any database keeps: numbers that JSON has no word for become text."""
    return _finite(msgspec.to_builtins(struct))


def read(config: dict[str, Any], kind: type[_T]) -> _T:
    """The reverse of `stored`; raises msgspec.ValidationError."""
    return msgspec.convert(config, kind, strict=False)


def shown(struct: msgspec.Struct) -> dict[str, Any]:
    """`stored`, for people: seconds as duration text, no empty members, header values and passwords masked."""
    return _readable(stored(struct))


def _finite(value: Any) -> Any:
    match value:
        case float() if not math.isfinite(value):
            return str(value)
        case dict():
            return {key: _finite(inner) for key, inner in value.items()}
        case list():
            return [_finite(inner) for inner in value]
    return value


def _readable(value: Any) -> Any:
    if isinstance(value, list):
        return [_readable(inner) for inner in value]
    if not isinstance(value, dict):
        return value
    return dict(
        _member(key, inner) for key, inner in value.items() if inner is not None and inner != {} and inner != []
    )


def _member(key: str, value: Any) -> tuple[str, Any]:
    if key.endswith("_s") and isinstance(value, int | float):
        return key[:-2], duration_text(value)
    if key in ("values", "rows") and isinstance(value, list) and len(value) > SHOWN:
        return key, f"{len(value)} {key}"
    if key == "headers":
        return key, dict.fromkeys(value, MASK)
    if key == "url":
        return key, masked_url(value)
    return key, _readable(value)


def duration_text(seconds: float) -> str:
    """`90s`, `250ms`."""
    return f"{seconds * 1000:g}ms" if 0 < seconds < 1 else f"{seconds:.15g}s"


def masked_url(url: str) -> str:
    """The address without what only its owner should know: user, password and query."""
    scheme, slashes, rest = url.partition("://")
    authority, slash, path = rest.partition("/")
    path, question, _query = path.partition("?")
    user, at, host = authority.rpartition("@")
    query = f"?{MASK}" if question else ""
    return f"{scheme}{slashes}{f'{MASK}@' if at else ''}{host if at else authority}{slash}{path}{query}"
