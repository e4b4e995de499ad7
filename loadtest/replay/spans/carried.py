"""The exchange that the attributes of a span carry (contract §6.1, with its fallbacks)."""

from collections.abc import Iterator, Mapping
from typing import Any
from urllib.parse import urlsplit

from loadtest.replay.spans.exchange import Body, Exchange, Header, Response
from loadtest.replay.spans.values import text

REQUEST_HEADER, RESPONSE_HEADER = "http.request.header.", "http.response.header."
Attributes = Mapping[str, Any]


def exchange(raw: Mapping[str, Any], attributes: Attributes, resource: Attributes, *, session_id: str) -> Exchange:
    """The exchange of a span with its attributes and those of its resource as plain values."""
    requested, answered = headers(attributes)
    full = _address(text(attributes.get("url.full")))
    return Exchange(
        kind=text(attributes.get("sp.span.type")),
        session_id=session_id,
        direction=text(attributes.get("sp.traffic.direction")),
        service=_first(attributes, "sp.service.name") or text(resource.get("service.name")),
        method=_first(attributes, "http.request.method", "http.request.header.:method", "http.method"),
        authority=_authority(attributes) or full["authority"],
        target=_target(attributes) or full["target"],
        headers=requested,
        body=body(attributes, "request"),
        response=response(attributes, answered),
        tags={**resource, **attributes},
        scheme=_first(attributes, "url.scheme", "http.request.header.:scheme") or full["scheme"],
        trace_id=text(raw.get("traceId")),
        span_id=text(raw.get("spanId")),
        started_ns=_nanoseconds(raw.get("startTimeUnixNano")),
        ended_ns=_nanoseconds(raw.get("endTimeUnixNano")),
    )


def headers(attributes: Attributes) -> tuple[tuple[Header, ...], tuple[Header, ...]]:
    """Headers of request and response, in the order of the attributes; a list is one header for each member."""
    requested: list[Header] = []
    answered: list[Header] = []
    for key, value in attributes.items():
        if key.startswith(REQUEST_HEADER):
            requested.extend(_lines(key[len(REQUEST_HEADER) :], value))
        elif key.startswith(RESPONSE_HEADER):
            answered.extend(_lines(key[len(RESPONSE_HEADER) :], value))
    return tuple(requested), tuple(answered)


def _lines(name: str, value: Any) -> Iterator[Header]:
    for one in value if isinstance(value, list) else [value]:
        yield name.lower(), text(one)


def body(attributes: Attributes, side: str) -> Body | None:
    """The body of "request" or "response"; None when it is absent or empty."""
    held = text(attributes.get(f"http.{side}.body"))
    if not held:
        return None
    coded = text(attributes.get(f"sp.http.{side}.body.encoding")).lower() == "base64"
    cut = text(attributes.get(f"sp.http.{side}.body.truncated")).lower() == "true"
    return Body(held, "base64" if coded else "", cut)


def response(attributes: Attributes, answered: tuple[Header, ...]) -> Response | None:
    """The response, None when the span tells no status."""
    status = _first(attributes, "http.response.status_code", "http.status_code")
    if not (status.isascii() and status.isdigit() and 100 <= int(status[:4]) <= 599):
        return None
    return Response(int(status), answered, body(attributes, "response"))


def _first(attributes: Attributes, *keys: str) -> str:
    return next(filter(None, (text(attributes.get(key)) for key in keys)), "")


def _authority(attributes: Attributes) -> str:
    """`url.host`, else what the request itself named, else OpenTelemetry's general names."""
    named = _first(attributes, "url.host", "http.request.header.:authority", "http.request.header.host", "http.host")
    address, port = text(attributes.get("server.address")), text(attributes.get("server.port"))
    return named or (f"{address}:{port}" if address and port else address)


def _target(attributes: Attributes) -> str:
    """`url.path`, which may hold the query, else what the request itself named."""
    path = _first(attributes, "url.path", "http.request.header.:path", "http.target")
    query = text(attributes.get("url.query")).removeprefix("?")
    return f"{path}?{query}" if path and query and "?" not in path else path


def _address(url: str) -> dict[str, str]:
    try:
        parts = urlsplit(url)
    except ValueError:
        return {"authority": "", "target": "", "scheme": ""}
    target = f"{parts.path or '/'}?{parts.query}" if parts.query else parts.path or "/"
    return {"authority": parts.netloc, "target": target if url else "", "scheme": parts.scheme}


def _nanoseconds(value: Any) -> int:
    held = text(value)
    return int(held) if held.isascii() and held.isdigit() and len(held) <= 20 else 0
