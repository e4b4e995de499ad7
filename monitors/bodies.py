"""Request bodies of the monitors API: JSON, multipart and URL-encoded give the same object (contract: monitors §3)."""

import json
import math
import re
from collections.abc import Iterable
from typing import IO, Any, cast

from django.core.files.base import ContentFile
from django.utils.http import parse_header_parameters
from rest_framework.parsers import BaseParser, FormParser, MultiPartParser

from config.api.errors import Malformed, TooLarge

MOST_BYTES = 2 * 1024 * 1024
_KEY = re.compile(r"([^\[\]]+)((?:\[[^\[\]]*\])*)")
_NUMBER = re.compile(r"-?\d+(\.\d+)?([eE][+-]?\d+)?")
_DIGITS = re.compile(r"[0-9]{1,4}")
_JSON_PARTS = ("thresholds", "parameters", "request", "tags")
_NO_TEXT = {
    *("enabled", "timeoutSeconds", "alertAfter", "recoverAfter", "queue", "samples", "concurrency", "timeoutMs"),
    *("followRedirects", "verifyTls", "status", "maxBytes"),
}
_MOST_DEPTH = 4
_LONGEST_NUMBER = 30
_LONGEST_END = 128  # a boundary has at most 70 characters


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
            data = _loads(raw)
        except (ValueError, RecursionError):
            raise Malformed("The body is not valid JSON") from None
        if not isinstance(data, dict):
            raise Malformed("The body must be a JSON object")
        return data


def _loads(text: str | bytes) -> Any:
    """The value; raises ValueError also for a number that is none (NaN, 1e400)."""
    return json.loads(text, parse_constant=_finite, parse_float=_finite)


def _finite(text: str) -> float:
    if math.isfinite(value := float(text)):
        return value
    raise ValueError(text)


class Form(FormParser):
    def parse(self, stream: Any, media_type: str | None = None, parser_context: Any = None) -> dict[str, Any]:
        return _with_script(unfolded(super().parse(stream, media_type, parser_context).lists()))


class _Remembering:
    """A stream whose last bytes can be asked for once it is read."""

    def __init__(self, stream: Any) -> None:
        self._stream, self.end = stream, b""

    def read(self, size: int = -1) -> bytes:
        data = self._stream.read(size)
        self.end = (self.end + data)[-_LONGEST_END:]
        return data


class Multipart(MultiPartParser):
    def parse(self, stream: Any, media_type: str | None = None, parser_context: Any = None) -> dict[str, Any]:
        read = _Remembering(stream)
        parsed = super().parse(cast(IO[bytes], read), media_type, parser_context)
        # Django takes what was cut off, or has no part at all, for a whole body.
        boundary = parse_header_parameters(media_type or "")[1].get("boundary", "")
        if f"--{boundary}--".encode() not in read.end:
            raise Malformed("The multipart body does not end with its boundary")
        # A browser sends a JSON part (a Blob) with a file name, as if it were a file.
        files = {name: _json_file(name, file) if name in _JSON_PARTS else file for name, file in parsed.files.items()}
        return _with_script(unfolded(parsed.data.lists())) | files


def _with_script(fields: dict[str, Any]) -> dict[str, Any]:
    """A script that came as a plain part, without the name of a file, is taken as one."""
    if isinstance(text := fields.get("script"), str):
        fields["script"] = ContentFile(text.encode(errors="surrogatepass"), name="script")
    return fields


PARSERS = [Json, Form, Multipart]


def unfolded(pairs: Iterable[tuple[str, list[Any]]]) -> dict[str, Any]:
    """`thresholds[latencyMs]=2000` as `{"thresholds": {"latencyMs": 2000}}`; a part may also hold JSON.

    What is a number or true or false in JSON becomes that; all else stays the text that it is.
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
            result[name] = _number(value) if name in _NO_TEXT else _from_json(name, value)
            continue
        place = result.setdefault(name, {})
        for part in path[:-1]:
            place = place.setdefault(part, {}) if isinstance(place, dict) else None
        if not isinstance(place, dict):
            raise Malformed(f"The field '{name}' is given in two ways")
        typed = name == "thresholds" or (name == "request" and path[0] != "headers" and path[-1] in _NO_TEXT)
        place[path[-1]] = _number(value) if typed else value
    if isinstance(tags := result.get("tags"), dict) and all(map(_DIGITS.fullmatch, tags)):  # `tags[0]=a&tags[1]=b`
        result["tags"] = [tags[number] for number in sorted(tags, key=int)]
    return result


def _json_file(name: str, file: Any) -> Any:
    try:
        return _loads(file.read())
    except (ValueError, RecursionError):
        raise Malformed(f"The part '{name}' is not valid JSON") from None


def _from_json(name: str, value: Any) -> Any:
    if name == "tags" and isinstance(value, list) and len(value) == 1:
        text = value[0].strip()
        return (
            _from_json("", text) if text.startswith("[") else [part.strip() for part in text.split(",") if part.strip()]
        )
    if isinstance(value, str) and (name in _JSON_PARTS or name == "") and value.strip()[:1] in ("{", "["):
        try:
            return _loads(value)
        except (ValueError, RecursionError):
            raise Malformed(f"The part '{name}' is not valid JSON") from None
    return value


def _number(value: Any) -> Any:
    if isinstance(value, list):
        return [_number(item) for item in value]
    if isinstance(value, str) and len(value) <= _LONGEST_NUMBER and _NUMBER.fullmatch(value):
        return float(value) if re.search(r"[.eE]", value) else int(value)
    return {"true": True, "false": False}.get(value.lower(), value) if isinstance(value, str) else value
