"""Exchanges as trace documents, for imports (contract §6.1: what we write)."""

import secrets
from collections.abc import Iterator
from typing import Any

from loadtest.replay.spans import hits
from loadtest.replay.spans.carried import REQUEST_HEADER
from loadtest.replay.spans.exchange import Exchange
from loadtest.replay.spans.values import attribute

CLIENT, SERVER = 3, 2  # OTLP's kinds of a span


def trace_document(exchange: Exchange) -> dict[str, Any]:
    """A document with one resource, one scope and one span; ids that are missing are made fresh."""
    span = {
        "traceId": exchange.trace_id or secrets.token_hex(16),
        "spanId": exchange.span_id or secrets.token_hex(8),
        "name": f"{exchange.method} {exchange.path}".strip(),
        "kind": SERVER if exchange.direction == "inbound" else CLIENT,
        "startTimeUnixNano": str(exchange.started_ns),
        "endTimeUnixNano": str(exchange.ended_ns),
        "attributes": [attribute(key, value) for key, value in _attributes(exchange)],
    }
    resource = {"attributes": [attribute("service.name", exchange.service)] if exchange.service else []}
    return {"resourceSpans": [{"resource": resource, "scopeSpans": [{"spans": [span]}]}]}


def _attributes(exchange: Exchange) -> Iterator[tuple[str, Any]]:
    told = {
        "sp.span.type": exchange.kind,
        "sp.session.id": exchange.session_id,
        "sp.traffic.direction": exchange.direction,
        "sp.service.name": exchange.service,
        "http.request.method": exchange.method,
        "url.full": f"{exchange.scheme}://{exchange.authority}{exchange.target}" if exchange.scheme else "",
        "url.scheme": exchange.scheme,
        "url.host": exchange.authority,
        "url.path": exchange.target,
    }
    yield from ((key, value) for key, value in told.items() if value)
    yield from hits.header_attributes(REQUEST_HEADER, exchange.headers)
    yield from hits.body_attributes("request", exchange.body)
    if exchange.response:
        yield from hits.attributes(exchange.response)
