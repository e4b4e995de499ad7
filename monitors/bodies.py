"""Request bodies of the monitors API: JSON, multipart and URL-encoded give the same object (contract: monitors §3)."""

import json
import re
from collections.abc import Iterable
from typing import Any

from rest_framework.parsers import BaseParser, FormParser, MultiPartParser

from config.api.errors import Malformed, TooLarge

MOST_BYTES = 2 * 1024 * 1024
_KEY = re.compile(r"([^\[\]]+)((?:\[[^\[\]]*\])*)")
_NUMBER = re.compile(r"-?\d+(\.\d+)?([eE][+-]?\d+)?")
_JSON_PARTS = ("thresholds", "parameters", "request", "tags")
_MOST_DEPTH = 4


def refuse_large(request: Any) -> None:
    """Raise TooLarge by the announced length, before anything is read."""
    try:
        length = int(request.headers.get("content-length") or 0)
    except ValueError:
        length = 0
    if length > MOST_BYTES:
        raise TooLarge(f"The body is larger than {MOST_BYTES} bytes")


class Json(BaseParser):
    """A JSON object; an empty body is an empty object."""

    media_type = "application/json"

    def parse(self, stream: Any, media_type: str | None = None, parser_context: Any = None) -> dict[str, Any]:
        raw = stream.read(MOST_BYTES + 1)
        if len(raw) > MOST_BYTES:
            raise TooLarge(f"The body is larger than {MOST_BYTES} bytes")
        if not raw.strip():
            return {}
        try:
            data = json.loads(raw, parse_constant=_no_constant)
        except (ValueError, RecursionError):
            raise Malformed("The body is not valid JSON") from None
        if not isinstance(data, dict):
            raise Malformed("The body must be a JSON object")
        return data


def _no_constant(name: str) -> None:
    raise ValueError(name)


class Form(FormParser):
    def parse(self, stream: Any, media_type: str | None = None, parser_context: Any = None) -> dict[str, Any]:
        return unfolded(super().parse(stream, media_type, parser_context).lists())


class Multipart(MultiPartParser):
    def parse(self, stream: Any, media_type: str | None = None, parser_context: Any = None) -> dict[str, Any]:
        parsed = super().parse(stream, media_type, parser_context)
        return unfolded(parsed.data.lists()) | dict(parsed.files.items())


PARSERS = [Json, Form, Multipart]


def unfolded(pairs: Iterable[tuple[str, list[Any]]]) -> dict[str, Any]:
    """`thresholds[latencyMs]=2000` as `{"thresholds": {"latencyMs": 2000}}`; a part may also hold JSON.

    Numbers within `thresholds` and `request` become numbers; all else stays text and is read by its field.
    """
    result: dict[str, Any] = {}
    for key, values in pairs:
        match = _KEY.fullmatch(key)
        if match is None:
            raise Malformed(f"The field name '{key[:100]}' cannot be read")
        name, path = match[1], re.findall(r"\[([^\[\]]*)\]", match[2])
        if len(path) > _MOST_DEPTH:
            raise Malformed(f"The field name '{key[:100]}' is nested too deeply")
        value: Any = values if path[-1:] == [""] or (name == "tags" and not path) else values[-1]
        path = [part for part in path if part]
        if not path:
            result[name] = _from_json(name, value)
            continue
        place = result.setdefault(name, {})
        for part in path[:-1]:
            place = place.setdefault(part, {}) if isinstance(place, dict) else None
        if not isinstance(place, dict):
            raise Malformed(f"The field '{name}' is given in two ways")
        place[path[-1]] = value if name == "parameters" else _number(value)
    return result


def _from_json(name: str, value: Any) -> Any:
    if name == "tags" and isinstance(value, list) and len(value) == 1:
        text = value[0].strip()
        return (
            _from_json("", text) if text.startswith("[") else [part.strip() for part in text.split(",") if part.strip()]
        )
    if isinstance(value, str) and (name in _JSON_PARTS or name == "") and value.strip()[:1] in ("{", "["):
        try:
            return json.loads(value, parse_constant=_no_constant)
        except (ValueError, RecursionError):
            raise Malformed(f"The part '{name}' is not valid JSON") from None
    return value


def _number(value: Any) -> Any:
    if isinstance(value, list):
        return [_number(item) for item in value]
    if isinstance(value, str) and _NUMBER.fullmatch(value):
        return float(value) if re.search(r"[.eE]", value) else int(value)
    return {"true": True, "false": False}.get(value, value) if isinstance(value, str) else value
