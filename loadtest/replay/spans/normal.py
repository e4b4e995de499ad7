"""Trace documents in the one form that we write: hex ids, 64-bit integers as strings (contract §6.1).

Both forms of OTLP end here. Documents are made anew, so what a caller holds is never altered.
"""

import base64
import binascii
import hashlib
import secrets
from collections.abc import Iterable, Iterator
from typing import Any

from config.api.errors import Malformed

TIMES = ("startTimeUnixNano", "endTimeUnixNano", "timeUnixNano")
DEEPEST = 32
SCALARS = ("string_value", "bool_value", "double_value")
NAMES = {"string_value": "stringValue", "bool_value": "boolValue", "double_value": "doubleValue"}


def from_json(document: Any) -> dict[str, Any]:
    """A document of OTLP/JSON; levels that hold no spans are left out, unknown keys stay. Raises Malformed."""
    resources = []
    for resource in _objects(_object(document, "the body"), "resourceSpans"):
        scopes = []
        for scope in _objects(resource, "scopeSpans"):
            found = [_span(span) for span in _objects(scope, "spans")]
            if found:
                scopes.append({**scope, "spans": found})
        if scopes:
            resources.append({**_with_attributes(resource, "resource"), "scopeSpans": scopes})
    return {**document, "resourceSpans": _any(resources)}


def from_message(message: Any) -> dict[str, Any]:
    """A document of a protobuf `TracesData`. Raises Malformed when it holds no spans."""
    resources = []
    for resource in message.resource_spans:
        scopes = []
        for scope in resource.scope_spans:
            if scope.spans:
                named = {"name": scope.scope.name, "version": scope.scope.version}
                scopes.append({"scope": _filled(named), "spans": [_read(span) for span in scope.spans]})
        if scopes:
            attributes = list(_attributes(resource.resource.attributes))
            resources.append({"resource": {"attributes": attributes}, "scopeSpans": scopes})
    return {"resourceSpans": _any(resources)}


def _any(resources: list[dict[str, Any]]) -> list[dict[str, Any]]:
    if not resources:
        raise Malformed("The body holds no spans")
    return resources


def _object(value: Any, what: str) -> dict[str, Any]:
    if not isinstance(value, dict):
        raise Malformed(f"{what} must be a JSON object")
    return value


def _objects(parent: dict[str, Any], key: str) -> Iterator[dict[str, Any]]:
    items = parent.get(key)
    if not isinstance(items, list | None):
        raise Malformed(f"{key} must be a list")
    return (_object(item, f"each of {key}") for item in items or ())


def _with_attributes(parent: dict[str, Any], key: str) -> dict[str, Any]:
    if parent.get(key) is None:
        return _told(parent)
    inner = _object(parent[key], key)
    return {**parent, key: {**inner, "attributes": [_pair(pair) for pair in _objects(inner, "attributes")]}}


def _span(span: dict[str, Any]) -> dict[str, Any]:
    made = {"attributes": [], **_item(span)}
    made["traceId"], made["spanId"] = hex_id(span.get("traceId"), 16), hex_id(span.get("spanId"), 8)
    if "parentSpanId" in made:
        made["parentSpanId"] = hex_id(span["parentSpanId"], 8) if span["parentSpanId"] else ""
    kind = made.get("kind", 0)
    if not isinstance(made.get("name", ""), str) or not isinstance(kind, int | str) or isinstance(kind, bool):
        raise Malformed("name must be a text and kind a number or a text")
    if not isinstance(made.get("status", {}), dict):
        raise Malformed("status must be a JSON object")
    for key in ("events", "links"):
        if key in made:
            made[key] = [_item(each) for each in _objects(span, key)]
    return made


def _item(item: dict[str, Any]) -> dict[str, Any]:
    """A span, event or link with its times and attributes in our form."""
    made = _told(item)
    if "attributes" in made:
        made["attributes"] = [_pair(pair) for pair in _objects(item, "attributes")]
    for key in TIMES:
        if key in made:
            made[key] = _whole(item[key], key)
    return made


def _told(members: dict[str, Any]) -> dict[str, Any]:
    """Without nulls, which in the JSON of protobuf mean "not given"."""
    return {key: value for key, value in members.items() if value is not None}


def _pair(pair: dict[str, Any]) -> dict[str, Any]:
    if not isinstance(pair.get("key"), str):
        raise Malformed("each attribute must have a key")
    value = pair.get("value")
    return {**pair, "value": {} if value is None else _value(_object(value, "the value of an attribute"))}


def _value(given: dict[str, Any], depth: int = 0) -> dict[str, Any]:
    value = _told(given)
    if "intValue" in value:
        return {**value, "intValue": _whole(value["intValue"], "intValue")}
    if not isinstance(value.get("stringValue", ""), str) or not isinstance(value.get("boolValue", False), bool):
        raise Malformed("stringValue must be a text and boolValue true or false")
    if not isinstance(value.get("doubleValue", 0), int | float | str) or isinstance(value.get("doubleValue"), bool):
        raise Malformed("doubleValue must be a number")
    if depth < DEEPEST and isinstance(value.get("arrayValue"), dict):
        items = [_value(item, depth + 1) for item in _objects(value["arrayValue"], "values")]
        return {**value, "arrayValue": {**value["arrayValue"], "values": items}}
    return value


def _whole(value: Any, key: str) -> str:
    if isinstance(value, bool) or not isinstance(value, int | str):
        raise Malformed(f"{key} must be a whole number, written as a text or a number")
    try:
        return str(int(value)) if len(str(value)) <= 20 else _refuse(key)
    except ValueError:
        return _refuse(key)


def _refuse(key: str) -> str:
    raise Malformed(f"{key} must be a whole number of 64 bits")


def hex_id(value: Any, size: int) -> str:
    """An id of `size` bytes as lower-case hex. Base64 is turned; another shape keeps its own, so that equal ids stay
    equal; a missing one is made."""
    if value is None or value == "":
        return secrets.token_hex(size)
    if not isinstance(value, str):
        raise Malformed("traceId and spanId must be texts")
    for read in (bytes.fromhex, _base64):
        try:
            content = read(value)
        except ValueError:
            continue
        if len(content) == size:
            return content.hex()
    return hashlib.sha256(value.encode(errors="surrogatepass")).hexdigest()[: 2 * size]


def _base64(text: str) -> bytes:
    try:
        return base64.b64decode(text, validate=True)
    except binascii.Error as error:
        raise ValueError(text) from error


def _read(span: Any) -> dict[str, Any]:
    made: dict[str, Any] = {
        "traceId": hex_id(span.trace_id.hex(), 16),
        "spanId": hex_id(span.span_id.hex(), 8),
        "parentSpanId": span.parent_span_id.hex(),
        "traceState": span.trace_state,
        "name": span.name,
        "kind": span.kind,
        "startTimeUnixNano": str(span.start_time_unix_nano or ""),
        "endTimeUnixNano": str(span.end_time_unix_nano or ""),
        "status": _filled({"code": span.status.code, "message": span.status.message}),
        "flags": span.flags,
        "events": [_filled(_event(event)) for event in span.events],
        "links": [_link(link) for link in span.links],
    }
    return {**_filled(made), "attributes": list(_attributes(span.attributes))}


def _event(event: Any) -> dict[str, Any]:
    told = list(_attributes(event.attributes))
    return {"timeUnixNano": str(event.time_unix_nano or ""), "name": event.name, "attributes": told}


def _link(link: Any) -> dict[str, Any]:
    ids = {"traceId": link.trace_id.hex(), "spanId": link.span_id.hex()}
    return _filled({**ids, "attributes": list(_attributes(link.attributes))})


def _filled(members: dict[str, Any]) -> dict[str, Any]:
    return {key: value for key, value in members.items() if value}


def _attributes(pairs: Iterable[Any]) -> Iterator[dict[str, Any]]:
    return ({"key": pair.key, "value": _any_value(pair.value)} for pair in pairs)


def _any_value(value: Any, depth: int = 0) -> dict[str, Any]:
    kind = value.WhichOneof("value")
    if kind in SCALARS:
        return {NAMES[kind]: getattr(value, kind)}
    match kind:
        case "int_value":
            return {"intValue": str(value.int_value)}
        case "bytes_value":
            return {"bytesValue": base64.b64encode(value.bytes_value).decode()}
        case "array_value" if depth < DEEPEST:
            return {"arrayValue": {"values": [_any_value(item, depth + 1) for item in value.array_value.values]}}
        case "kvlist_value" if depth < DEEPEST:
            pairs = value.kvlist_value.values
            return {"kvlistValue": {"values": [{"key": p.key, "value": _any_value(p.value, depth + 1)} for p in pairs]}}
        case _:
            return {}
