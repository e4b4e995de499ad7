"""OTLP's AnyValue in JSON as plain values and back."""

import json
from collections.abc import Iterable, Mapping
from typing import Any


def plain_attributes(pairs: Iterable[Mapping[str, Any]]) -> dict[str, Any]:
    """Attributes by key; where a key comes twice the first one counts."""
    found: dict[str, Any] = {}
    for pair in pairs:
        found.setdefault(pair["key"], plain(pair["value"]))
    return found


def plain(value: Mapping[str, Any]) -> Any:
    """The value that an AnyValue holds, None when it holds none. Bytes stay base64."""
    for kind, held in value.items():
        match kind:
            case "stringValue" | "boolValue" | "doubleValue" | "bytesValue":
                return held
            case "intValue":
                return _whole(held)
            case "arrayValue" if isinstance(held, dict) and isinstance(held.get("values"), list):
                return [plain(item) for item in held["values"] if isinstance(item, dict)]
            case "kvlistValue" if isinstance(held, dict):
                return held.get("values")
    return None


def _whole(held: Any) -> Any:
    try:
        return int(held)
    except (TypeError, ValueError):
        return held


def text(value: Any) -> str:
    """A value written as a string: numbers and booleans as in JSON, whole ones without a fraction, None as ""."""
    if isinstance(value, str):
        return value
    if value is None:
        return ""
    if isinstance(value, float) and value.is_integer():
        value = int(value)
    return json.dumps(value, ensure_ascii=False, separators=(",", ":"))


def any_value(value: Any) -> dict[str, Any]:
    """A text, number, boolean or list of texts as an AnyValue."""
    match value:
        case bool():
            return {"boolValue": value}
        case int():
            return {"intValue": str(value)}
        case float():
            return {"doubleValue": value}
        case list() | tuple():
            return {"arrayValue": {"values": [any_value(item) for item in value]}}
        case _:
            return {"stringValue": text(value)}


def attribute(key: str, value: Any) -> dict[str, Any]:
    return {"key": key, "value": any_value(value)}
