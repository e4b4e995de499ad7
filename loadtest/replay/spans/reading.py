"""Bodies of `/v1/inject` and `/v1/traces`, JSON or protobuf, as normalised trace documents (contract §6.1, §8)."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import msgspec
from google.protobuf.message import DecodeError
from opentelemetry.proto.trace.v1.trace_pb2 import TracesData

from config.api.errors import Malformed
from loadtest.replay.spans import carried, normal
from loadtest.replay.spans.exchange import Exchange
from loadtest.replay.spans.values import plain_attributes, text

Document = dict[str, Any]


@dataclass(frozen=True)
class Span:
    """One span of a document with the attributes of its resource, both as plain values."""

    raw: dict[str, Any]
    attributes: dict[str, Any]
    resource: dict[str, Any]

    @property
    def kind(self) -> str:
        """`sp.span.type`: "extract", "inject" or ""."""
        return text(self.attributes.get("sp.span.type"))

    @property
    def session_id(self) -> str:
        """`sp.session.id` of the span, else of its resource, else ""."""
        return text(self.attributes.get("sp.session.id")) or text(self.resource.get("sp.session.id"))


def parse(body: bytes, content_type: str) -> Document:
    """The trace document of a body: hex ids, 64-bit integers as strings, unknown keys of JSON kept.

    With another or no content type the first byte decides. Raises Malformed (400) for what is not OTLP or has no
    spans. `Content-Encoding` is the caller's (`fleet.collectors.bodies.unfolded`).
    """
    if _is_json(body, content_type):
        try:
            return normal.from_json(msgspec.json.decode(body))
        except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
            raise Malformed(f"The body is not valid JSON: {error}"[:300]) from None
    try:
        return normal.from_message(TracesData.FromString(body))
    except DecodeError:
        raise Malformed("The body is no valid OTLP message") from None


def _is_json(body: bytes, content_type: str) -> bool:
    match content_type.partition(";")[0].strip().lower():
        case "application/json":
            return True
        case "application/x-protobuf":
            return False
        case _:
            return body.lstrip()[:1] == b"{"


def spans(document: Document) -> Iterator[Span]:
    """All spans of a document, in order. The document is one that `parse` made or the case schema lets pass."""
    for resource in document["resourceSpans"]:
        shared = plain_attributes((resource.get("resource") or {}).get("attributes") or ())
        for scope in resource["scopeSpans"]:
            for span in scope["spans"]:
                yield Span(span, plain_attributes(span.get("attributes") or ()), shared)


def session_of(document: Document) -> str:
    """The session of an upload: the first `sp.session.id` on a span, else on a resource, else ""."""
    found = list(spans(document))
    on_spans = (text(span.attributes.get("sp.session.id")) for span in found)
    on_resources = (text(span.resource.get("sp.session.id")) for span in found)
    return next(filter(None, on_spans), "") or next(filter(None, on_resources), "")


def question(document: Document) -> Exchange | None:
    """The first inject span as an exchange (its `session_id` may be ""), None when there is none."""
    return next((exchange(span) for span in spans(document) if span.kind == "inject"), None)


def exchange(span: Span) -> Exchange:
    """The exchange that a span carries, with the fallbacks of §6.1."""
    return carried.exchange(span.raw, span.attributes, span.resource, session_id=span.session_id)
