"""A HAR as a case document, lenient to the dialects of browsers and proxies (contract §12)."""

import base64
import binascii
import secrets
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from typing import Any
from urllib.parse import urlencode, urlsplit

from config.api.errors import Invalid
from loadtest.replay.spans.exchange import Body, Exchange, Header, Response
from loadtest.replay.spans.writing import trace_document

EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
LONGEST_MS = 86_400_000.0
SESSION = "import"


class Unusable(ValueError):
    """An entry that is no HTTP exchange; the sentence says why."""


@dataclass(frozen=True)
class Imported:
    """`skipped` tells of each entry left out: `{"entry": 3, "reason": "…"}`, counted from 0."""

    case: dict[str, Any]
    skipped: list[dict[str, Any]] = field(default_factory=list)


def read_har(document: Any, *, case_id: str) -> Imported:
    """The case of a HAR 1.2 object. Entries that cannot be used are skipped and reported, never a reason to refuse.

    Raises Invalid (400) for what is no HAR, or one of whose entries none can be used.
    """
    log = document.get("log") if isinstance(document, dict) else None
    entries = log.get("entries") if isinstance(log, dict) else None
    if not isinstance(entries, list):
        raise Invalid("This is no HAR: it has no list log.entries")
    traces, skipped = [], []
    for number, entry in enumerate(entries):
        try:
            traces.append(trace_document(_exchange(_members(entry, "the entry"))))
        except Unusable as why:
            skipped.append({"entry": number, "reason": str(why)})
    if entries and not traces:
        raise Invalid(f"None of the {len(entries)} entries can be used; the first: {skipped[0]['reason']}")
    case = {"version": "1.0.0", "caseId": case_id, "suite": SESSION, "mode": "capture", "traces": traces}
    return Imported(case, skipped)


def _exchange(entry: dict[str, Any]) -> Exchange:
    request, response = _members(entry.get("request"), "request"), _members(entry.get("response"), "response")
    status = response.get("status")
    if isinstance(status, bool) or not isinstance(status, int) or not 200 <= status <= 599:
        raise Unusable(f"the response has status {status!r}"[:100] + ", which is no answer that can be given again")
    scheme, authority, target = _address(request)
    started = _started(entry)
    content = _members(response.get("content") or {}, "response.content")
    return Exchange(
        kind="extract",
        session_id=SESSION,
        direction="inbound" if entry.get("_direction") == "inbound" else "outbound",
        service=_text(entry.get("_service")),
        method=_text(request.get("method")) or "GET",
        scheme=scheme,
        authority=authority,
        target=target,
        headers=_headers(request),
        body=_sent(request.get("postData")),
        response=Response(status, _answered(response, content), _body(content, "response.content")),
        trace_id=_hex(entry.get("_traceId"), 16),
        span_id=_hex(entry.get("_spanId"), 8),
        started_ns=started,
        ended_ns=started + _elapsed(entry.get("time")),
    )


def _members(value: Any, what: str) -> dict[str, Any]:
    if not isinstance(value, dict):
        raise Unusable(f"{what} is no object")
    return value


def _text(value: Any) -> str:
    return value if isinstance(value, str) else ""


def _address(request: dict[str, Any]) -> tuple[str, str, str]:
    """Scheme, authority and target as written; the fragment never went over the wire."""
    url = _text(request.get("url")).partition("#")[0]
    try:
        parts = urlsplit(url)
    except ValueError:
        raise Unusable("request.url cannot be read") from None
    if parts.scheme not in ("http", "https") or not parts.netloc:
        raise Unusable(f"request.url is no address of http or https: {url[:100]}")
    target = url.partition("://")[2][len(parts.netloc) :]
    return parts.scheme, parts.netloc.rpartition("@")[2], target if target.startswith("/") else f"/{target}"


def _headers(message: dict[str, Any]) -> tuple[Header, ...]:
    """Headers with lower-case names, without the pseudo ones that browsers write for HTTP/2 (`:path`)."""
    listed = message.get("headers")
    if isinstance(listed, dict):  # some proxies write an object
        listed = [{"name": name, "value": value} for name, value in listed.items()]
    lines = [line for line in listed or [] if isinstance(line, dict) and isinstance(line.get("name"), str)]
    named = [(line["name"].lower(), _text(line.get("value"))) for line in lines]
    return tuple((name, value) for name, value in named if name and not name.startswith(":"))


def _answered(response: dict[str, Any], content: dict[str, Any]) -> tuple[Header, ...]:
    """Headers of the response. The body of a HAR is unfolded, so its `content-encoding` would be a lie from here on."""
    kept = content.get("_folded") is True
    return tuple(header for header in _headers(response) if kept or header[0] != "content-encoding")


def _sent(posted: Any) -> Body | None:
    """`postData`: its text, else its parameters as a form."""
    if not isinstance(posted, dict):
        return None
    if posted.get("text"):
        return _body(posted, "request.postData")
    params = [each for each in posted.get("params") or [] if isinstance(each, dict) and "name" in each]
    return Body.of(urlencode([(_text(each["name"]), _text(each.get("value"))) for each in params]).encode())


def _body(told: dict[str, Any], what: str) -> Body | None:
    """The body, base64 where `encoding` (or our `_encoding` of a request) says so."""
    text = _text(told.get("text"))
    if not text:
        return None
    cut = told.get("_truncated") is True
    if (told.get("encoding") or told.get("_encoding")) != "base64":
        return Body(text, truncated=cut)
    try:
        made = Body.of(base64.b64decode("".join(text.split()), validate=True))
    except (binascii.Error, ValueError):
        raise Unusable(f"{what}.text is not base64, though its encoding says so") from None
    return replace(made, truncated=cut) if made else None


def _started(entry: dict[str, Any]) -> int:
    """Nanoseconds since 1970, those of `_startTimeUnixNano` while the two agree; 0 where no time can be read."""
    try:
        moment = datetime.fromisoformat(_text(entry.get("startedDateTime")))
        aware = moment if moment.tzinfo else moment.replace(tzinfo=UTC)
        microseconds = max(0, (aware - EPOCH) // timedelta(microseconds=1))
    except (ValueError, OverflowError):
        return 0
    exact = _text(entry.get("_startTimeUnixNano"))
    agrees = exact.isascii() and exact.isdigit() and len(exact) <= 20 and int(exact) // 1000 == microseconds
    return int(exact) if agrees else microseconds * 1000


def _elapsed(value: Any) -> int:
    if isinstance(value, bool) or not isinstance(value, int | float) or not 0 <= value <= LONGEST_MS:
        return 0
    return round(value * 1_000_000)


def _hex(value: Any, size: int) -> str:
    try:
        content = bytes.fromhex(_text(value))
    except ValueError:
        content = b""
    return content.hex() if len(content) == size else secrets.token_hex(size)
