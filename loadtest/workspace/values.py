"""What clients may write into the fields of saved things; each function returns what is stored or raises Invalid."""

import json
import re
from collections.abc import Mapping
from typing import Any

from config.api.errors import Invalid
from loadtest.composing.bodies import type_of
from loadtest.composing.compose import METHODS
from loadtest.workspace.models import MAX_ID, MAX_NAME

MAX_ORDER = 2**31

_ID = re.compile(rf"[^/?#\x00-\x1f\x7f-\x9f]{{1,{MAX_ID}}}")
_UNSTORABLE = re.compile("[\0\ud800-\udfff]")


def storable(body: Any) -> None:
    """Raise Invalid where any text in a JSON value holds what no database stores: NUL, or half a character."""
    queue = [body]
    while queue:
        match queue.pop():
            case str() as text if _UNSTORABLE.search(text):
                raise Invalid("The request holds a character that cannot be stored: NUL, or half of a pair")
            case dict() as found:
                queue += [*found, *found.values()]
            case list() as found:
                queue += found


def identifier(value: Any) -> str:
    if not isinstance(value, str) or not _ID.fullmatch(value):
        raise Invalid(f"'id' must be text of 1 to {MAX_ID} characters without '/', '?', '#' or control characters")
    return value


def name(value: Any) -> str:
    if not isinstance(value, str) or not value.strip():
        raise Invalid("'name' must be a non-empty text")
    if len(value) > MAX_NAME:
        raise Invalid(f"'name' must be at most {MAX_NAME} characters")
    return value


def text(field: str, value: Any) -> str:
    if not isinstance(value, str):
        raise Invalid(f"'{field}' must be text")
    return value


def integer(field: str, value: Any, low: int, high: int) -> int:
    """A whole number, also one that its writer's language spells `3.0`."""
    if isinstance(value, bool) or not isinstance(value, int | float) or value != int(value):
        raise Invalid(f"'{field}' must be an integer")
    value = int(value)
    if not low <= value <= high:
        raise Invalid(f"'{field}' must be between {low} and {high}")
    return value


def boolean(field: str, value: Any) -> bool:
    if not isinstance(value, bool):
        raise Invalid(f"'{field}' must be true or false")
    return value


def method(value: Any) -> str:
    if not isinstance(value, str) or value.upper() not in METHODS:
        raise Invalid("Invalid HTTP method")
    return value.upper()


def url(value: Any) -> str:
    if not isinstance(value, str) or not value.strip():
        raise Invalid("'url' must be a non-empty text")
    return value


def pairs(field: str, value: Any) -> Any:
    """Params and headers: an object of texts, or rows `{key, value, enabled}`; kept in the shape written."""
    if isinstance(value, Mapping):
        for key, inner in value.items():
            if not isinstance(inner, str | int | float | None):
                raise Invalid(f"'{field}.{key}' must be text")
        return {key: inner if isinstance(inner, str) else _scalar(inner) for key, inner in value.items()}
    if not isinstance(value, list):
        raise Invalid(f"'{field}' must be an object or an array")
    for index, row in enumerate(value):
        where = f"{field}[{index}]"
        if not isinstance(row, Mapping):
            raise Invalid(f"'{where}' must be an object")
        for part in ("key", "value"):
            if not isinstance(row.get(part), str):
                raise Invalid(f"'{where}.{part}' must be text")
        if not isinstance(row.get("enabled", True), bool):
            raise Invalid(f"'{where}.enabled' must be true or false")
    return value


def _scalar(value: Any) -> str:
    return "" if value is None else json.dumps(value)


def body(value: Any) -> Any:
    """A text, or an object that names its type and holds `content`, `fields` or the like; kept as written."""
    if not isinstance(value, str | Mapping):
        raise Invalid("'body' must be text or an object")
    if isinstance(value, Mapping):
        type_of(value)
        if not isinstance(value.get("fields", []), list | Mapping):
            raise Invalid("'body.fields' must be an array")
    return value


def body_type(value: Any) -> str:
    if not isinstance(value, str):
        raise Invalid("'bodyType' must be text")
    type_of(None, value or "none")
    return value
