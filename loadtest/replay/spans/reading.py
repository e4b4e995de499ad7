"""Bodies of `/v1/inject` and `/v1/traces`, JSON or protobuf, as normalised trace documents (contract §6.1, §8)."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from loadtest.replay.spans.exchange import Exchange

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
        raise NotImplementedError

    @property
    def session_id(self) -> str:
        """`sp.session.id` of the span, else of its resource, else ""."""
        raise NotImplementedError


def parse(body: bytes, content_type: str) -> Document:
    """The trace document of a body: hex ids, 64-bit integers as strings, unknown keys of JSON kept.

    With another or no content type the first byte decides. Raises Malformed (400) for what is not OTLP or has no
    spans. `Content-Encoding` is the caller's (`fleet.collectors.bodies.unfolded`).
    """
    raise NotImplementedError


def spans(document: Document) -> Iterator[Span]:
    """All spans of a document, in order."""
    raise NotImplementedError


def session_of(document: Document) -> str:
    """The session of an upload: the first `sp.session.id` on a span, else on a resource, else ""."""
    raise NotImplementedError


def question(document: Document) -> Exchange | None:
    """The first inject span as an exchange (its `session_id` may be ""), None when there is none."""
    raise NotImplementedError


def exchange(span: Span) -> Exchange:
    """The exchange that a span carries, with the fallbacks of §6.1."""
    raise NotImplementedError
