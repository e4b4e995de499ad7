"""Fields of a monitor that hold an object of their own (contract: monitors §3, §5.3, §8.5)."""

import re
from collections.abc import Mapping
from typing import Any

from rest_framework import serializers

from config.api.fields import Body, CamelSerializer
from monitors.monitors import parameters
from monitors.runs.judge import HIGHEST

METHODS = ("GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS")
HIGHEST_LIMIT = 1e12
_HEADER_NAME = re.compile(r"[!#$%&'*+.^_`|~0-9A-Za-z-]{1,200}")
_BREAK = re.compile(r"[\r\n\0]")


class Thresholds(serializers.Field):
    """Threshold name to limit. In a change, null removes a limit."""

    def to_internal_value(self, data: Any) -> dict[str, float | None]:
        faults: dict[str, list[str]] = {}
        for name, limit in _object(data).items():
            if fault := self._fault(name, limit):
                faults[name] = [fault]
        if faults:
            raise serializers.ValidationError(faults)
        return dict(data)

    def _fault(self, name: str, limit: Any) -> str | None:
        if name not in HIGHEST:
            return f"There is no threshold of this name. Known: {', '.join(HIGHEST)}."
        if limit is None:
            return None if self.root.partial else "A limit is a number."
        if isinstance(limit, bool) or not isinstance(limit, int | float) or limit != limit:
            return "A limit is a number."
        highest = HIGHEST[name] if HIGHEST[name] is not None else HIGHEST_LIMIT
        if not 0 <= limit <= highest:
            return f"A limit is from 0 to {highest:g}."
        return "T must be above 0." if name == "apdexTMs" and limit == 0 else None

    def to_representation(self, value: Any) -> Any:
        return value


class Parameters(serializers.Field):
    """Parameter name to text; numbers and booleans become text. In a change, null removes one."""

    def to_internal_value(self, data: Any) -> dict[str, str | None]:
        faults: dict[str, list[str]] = {}
        values: dict[str, str | None] = {}
        for name, value in _object(data).items():
            values[name] = text = _text(value)
            fault = parameters.fault_of_name(name)
            if fault is None and text is None and not (value is None and self.root.partial):
                fault = "A value is text, a number, true or false."
            if fault is None and text is not None and len(text.encode(errors="replace")) > parameters.MOST_BYTES:
                fault = f"A value has at most {parameters.MOST_BYTES} bytes."
            if fault is None and text is not None and not _storable(text):
                fault = "A value cannot hold this character."
            if fault:
                faults[name] = [fault]
        if faults:
            raise serializers.ValidationError(faults)
        return values

    def to_representation(self, value: Any) -> Any:
        return parameters.masked(value)


class Expectation(CamelSerializer, Body):
    """What an answer must be. `status` is a number, a class such as "2xx", or a list of these."""

    status = serializers.JSONField(required=False)
    body_contains = serializers.CharField(required=False, trim_whitespace=False, max_length=10_000)
    header_contains = serializers.JSONField(required=False)
    max_bytes = serializers.IntegerField(required=False, min_value=1, max_value=100 * 1024 * 1024)

    def to_internal_value(self, data: Any) -> dict[str, Any]:
        _refuse_unknown(_object(data), self.fields)
        return super().to_internal_value(data)

    def validate_status(self, value: Any) -> list[int | str]:
        items = value if isinstance(value, list) else [value]
        for item in items:
            number = isinstance(item, int) and not isinstance(item, bool) and 100 <= item <= 599
            if not number and item not in ("1xx", "2xx", "3xx", "4xx", "5xx"):
                raise serializers.ValidationError('Give numbers from 100 to 599, or classes such as "2xx".')
        if not 1 <= len(items) <= 100:
            raise serializers.ValidationError("Give one to a hundred of them.")
        return items

    def validate_headerContains(self, value: Any) -> list[str]:  # noqa: N802 - DRF looks for the name on the wire
        items = value if isinstance(value, list) else [value]
        if isinstance(value, dict):
            items = [f"{name}: {text}" if isinstance(text, str) else text for name, text in value.items()]
        fits = all(isinstance(item, str) and 0 < len(item) <= 1000 and _storable(item) for item in items)
        if not fits or len(items) > 20:
            raise serializers.ValidationError(
                "Give a text that a header line must contain, or header names with texts."
            )
        return items


class HttpRequest(CamelSerializer, Body):
    """The request of an `http` monitor."""

    url = serializers.CharField(max_length=8000)
    method = serializers.CharField(required=False)
    headers = serializers.DictField(child=serializers.CharField(max_length=8000, allow_blank=True), required=False)
    body = serializers.CharField(required=False, allow_blank=True, trim_whitespace=False, max_length=256 * 1024)
    samples = serializers.IntegerField(required=False, min_value=1, max_value=100)
    concurrency = serializers.IntegerField(required=False, min_value=1, max_value=20)
    timeout_ms = serializers.IntegerField(required=False, min_value=1, max_value=120_000)
    follow_redirects = serializers.BooleanField(required=False)
    verify_tls = serializers.BooleanField(required=False)
    expect = Expectation(required=False)

    def to_internal_value(self, data: Any) -> dict[str, Any]:
        """Checked as given; names stay those of the wire, in which the request is stored."""
        _refuse_unknown(_object(data), self.fields)
        removed = {name for name, value in data.items() if value is None} if self.root.partial else set()
        given = super().to_internal_value({name: value for name, value in data.items() if name not in removed})
        values = {name: given[field.source] for name, field in self.fields.items() if field.source in given}
        if "expect" in values:
            source = {field.source: name for name, field in self.fields["expect"].fields.items()}
            values["expect"] = {source[name]: value for name, value in values["expect"].items()}
        return values | dict.fromkeys(removed)

    def validate_method(self, value: str) -> str:
        if value.upper() not in METHODS:
            raise serializers.ValidationError(f"One of {', '.join(METHODS)}.")
        return value.upper()

    def validate_headers(self, value: Mapping[str, str]) -> Mapping[str, str]:
        if len(value) > 50:
            raise serializers.ValidationError("At most 50 headers.")
        if bad := {name: ["This is no name of a header."] for name in value if not _HEADER_NAME.fullmatch(name)}:
            raise serializers.ValidationError(bad)
        if broken := {name: ["A value has one line."] for name, text in value.items() if _BREAK.search(text)}:
            raise serializers.ValidationError(broken)
        return value


def _object(data: Any) -> dict[str, Any]:
    if not isinstance(data, dict):
        raise serializers.ValidationError("This must be an object.")
    return data


def _text(value: Any) -> str | None:
    if isinstance(value, bool):
        return "true" if value else "false"
    return str(value) if isinstance(value, int | float | str) else None


def _refuse_unknown(data: Mapping[str, Any], known: Mapping[str, Any]) -> None:
    if unknown := {name: ["There is no such field."] for name in data if name not in known}:
        raise serializers.ValidationError(unknown)


def _storable(text: str) -> bool:
    """Whether both databases take the text: no NUL, no half of a pair of surrogates."""
    try:
        text.encode()
    except UnicodeEncodeError:
        return False
    return "\x00" not in text
