"""A case document as HAR 1.2 (contract §12).

`read_har` reads it back to the same exchanges, binary bodies included. What HAR has no room for stands in members of
ours, which the format allows when they begin with an underscore: `_direction`, `_service`, ids, the exact start,
`_encoding` of a request's body, `_truncated`, and `_folded` for a body that is kept as it came over the wire.
"""

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from typing import Any
from urllib.parse import parse_qsl

from loadtest.replay.spans import reading
from loadtest.replay.spans.exchange import Body, Exchange, Header, Response

EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
LAST_NS = 253_370_764_800_000_000_000  # the year 9999
UNKNOWN = -1  # HAR's word for a size that is not known
DEFAULT_TYPE = "application/octet-stream"


def write_har(case: dict[str, Any]) -> dict[str, Any]:
    """The HAR of every exchange with a response status, in captured order."""
    entries = [_entry(exchange) for exchange in _exchanges(case)]
    creator = {"name": "Pharos", "version": "1"}
    return {"log": {"version": "1.2", "creator": creator, "entries": entries, "comment": str(case.get("caseId", ""))}}


def _exchanges(case: dict[str, Any]) -> Iterator[Exchange]:
    for document in case["traces"]:
        for span in reading.spans(document):
            exchange = reading.exchange(span)
            if exchange.response:
                yield exchange


def _entry(exchange: Exchange) -> dict[str, Any]:
    response = exchange.response
    assert response is not None  # noqa: S101 - `_exchanges` gives no other
    took_ms = max(0, exchange.ended_ns - exchange.started_ns) / 1_000_000
    return {
        "startedDateTime": _moment(exchange.started_ns),
        "time": took_ms,
        "request": {
            "method": exchange.method,
            "url": f"{exchange.scheme or 'http'}://{exchange.authority}{exchange.target or '/'}",
            "httpVersion": "HTTP/1.1",
            "cookies": [],
            "headers": _lines(exchange.headers),
            "queryString": [{"name": n, "value": v} for n, v in parse_qsl(exchange.query, keep_blank_values=True)],
            **_posted(exchange),
            "headersSize": UNKNOWN,
            "bodySize": len(exchange.body_bytes),
        },
        "response": {
            "status": response.status,
            "statusText": "",
            "httpVersion": "HTTP/1.1",
            "cookies": [],
            "headers": _lines(response.headers),
            "content": _content(response),
            "redirectURL": next((value for name, value in response.headers if name == "location"), ""),
            "headersSize": UNKNOWN,
            "bodySize": len(response.body.content) if response.body else 0,
        },
        "cache": {},
        "timings": {"send": 0, "wait": took_ms, "receive": 0},
        **_ours(exchange),
    }


def _ours(exchange: Exchange) -> dict[str, Any]:
    told = {
        "_direction": exchange.direction,
        "_service": exchange.service,
        "_traceId": exchange.trace_id,
        "_spanId": exchange.span_id,
        "_startTimeUnixNano": str(exchange.started_ns or ""),
    }
    return {key: value for key, value in told.items() if value}


def _moment(nanoseconds: int) -> str:
    moment = EPOCH + timedelta(microseconds=min(nanoseconds, LAST_NS) // 1000)
    return moment.isoformat(timespec="microseconds").replace("+00:00", "Z")


def _lines(headers: tuple[Header, ...]) -> list[dict[str, str]]:
    return [{"name": name, "value": value} for name, value in headers if not name.startswith(":")]


def _type(headers: tuple[Header, ...]) -> str:
    return next((value for name, value in headers if name == "content-type"), DEFAULT_TYPE)


def _posted(exchange: Exchange) -> dict[str, Any]:
    if exchange.body is None:
        return {}
    posted: dict[str, Any] = {"mimeType": _type(exchange.headers), "params": [], "text": exchange.body.text}
    if exchange.body.encoding:
        posted["_encoding"] = exchange.body.encoding
    return {"postData": posted | _cut(exchange.body)}


def _content(response: Response) -> dict[str, Any]:
    body = response.body
    content: dict[str, Any] = {"size": len(body.content) if body else 0, "mimeType": _type(response.headers)}
    if any(name == "content-encoding" for name, _ in response.headers):
        content["_folded"] = True
    if body is None:
        return content
    content["text"] = body.text
    if body.encoding:
        content["encoding"] = body.encoding
    return content | _cut(body)


def _cut(body: Body) -> dict[str, Any]:
    return {"_truncated": True} if body.truncated else {}
