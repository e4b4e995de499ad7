"""The answer of `/v1/inject` to a proxy (contract §8)."""

from collections.abc import Iterable, Iterator
from dataclasses import replace
from typing import Any

import msgspec
from opentelemetry.proto.common.v1.common_pb2 import AnyValue
from opentelemetry.proto.trace.v1.trace_pb2 import TracesData

from loadtest.replay.spans.carried import RESPONSE_HEADER
from loadtest.replay.spans.exchange import Body, Header, Response
from loadtest.replay.spans.values import attribute

JSON, PROTOBUF = "application/json", "application/x-protobuf"
MARK = ("x-softprobe-mock", "1")


def wants_json(accept: str) -> bool:
    """True when `Accept` names `application/json` and not protobuf; protobuf otherwise."""
    return JSON in accept.lower() and "protobuf" not in accept.lower()


def hit(response: Response, *, as_json: bool) -> tuple[bytes, str]:
    """Body and content type of a hit: one resource, one scope, one span, the status first and as an integer.

    A response with neither headers nor body carries `x-softprobe-mock: 1`, since the WASM filter ignores it otherwise.
    A name that comes more than once is one attribute with a list.
    """
    bare = not response.headers and not (response.body and response.body.text)
    pairs = list(attributes(replace(response, headers=(MARK,)) if bare else response))
    if as_json:
        span = {"name": "hit", "attributes": [attribute(key, value) for key, value in pairs]}
        return msgspec.json.encode({"resourceSpans": [{"scopeSpans": [{"spans": [span]}]}]}), JSON
    message = TracesData()
    spans = message.resource_spans.add().scope_spans.add().spans
    told = spans.add(name="hit").attributes
    for key, value in pairs:
        told.add(key=key, value=_message(value))
    return message.SerializeToString(), PROTOBUF


def attributes(response: Response) -> Iterator[tuple[str, Any]]:
    """The attributes of a response, the status first: integers, texts, and lists for headers that repeat."""
    yield "http.response.status_code", response.status
    yield from header_attributes(RESPONSE_HEADER, response.headers)
    yield from body_attributes("response", response.body)


def header_attributes(prefix: str, headers: Iterable[Header]) -> Iterator[tuple[str, Any]]:
    """One attribute a name, in the order in which the names first come."""
    lines: dict[str, list[str]] = {}
    for name, value in headers:
        lines.setdefault(name.lower(), []).append(value)
    return ((prefix + name, values[0] if len(values) == 1 else values) for name, values in lines.items())


def body_attributes(side: str, body: Body | None) -> Iterator[tuple[str, Any]]:
    """The body of "request" or "response" with its marks; nothing for none."""
    if body is None or not body.text:
        return
    yield f"http.{side}.body", body.text
    if body.encoding:
        yield f"sp.http.{side}.body.encoding", body.encoding
    if body.truncated:
        yield f"sp.http.{side}.body.truncated", True


def _message(value: Any) -> AnyValue:
    if isinstance(value, int):
        return AnyValue(int_value=value)
    if isinstance(value, str):
        return AnyValue(string_value=value)
    made = AnyValue()
    made.array_value.values.extend([AnyValue(string_value=item) for item in value])
    return made
