"""What is taken out of an upload before anything of it is kept (contract §9)."""

import base64
import json
from collections.abc import Collection
from typing import Any

from loadtest.replay.matching import expressions
from loadtest.replay.matching.compiled import Rule, RuleSet
from loadtest.replay.spans import carried, reading
from loadtest.replay.spans.carried import REQUEST_HEADER, RESPONSE_HEADER
from loadtest.replay.spans.exchange import UNREADABLE, Body

REDACTED = "[REDACTED]"
SECRET_HEADERS = frozenset(
    ("authorization", "proxy-authorization", "cookie", "set-cookie", "x-api-key", "x-public-key", "x-auth-token")
)
BODIES = {"http.request.body": "request", "http.response.body": "response"}


def scrub(
    document: dict[str, Any], ruleset: RuleSet | None = None, *, headers: Collection[str] = SECRET_HEADERS
) -> dict[str, Any]:
    """The document with REDACTED in place of these headers' values and of what matching `capture_only` rules name."""
    hiding = [rule for rule in ruleset.rules if rule.action == "capture_only"] if ruleset else []
    spans = iter(list(reading.spans(document)))
    return {
        **document,
        "resourceSpans": [
            {
                **resource,
                "scopeSpans": [
                    {**scope, "spans": [_scrubbed(next(spans), hiding, headers) for _ in scope["spans"]]}
                    for scope in resource["scopeSpans"]
                ],
            }
            for resource in document["resourceSpans"]
        ],
    }


def _scrubbed(span: reading.Span, hiding: list[Rule], headers: Collection[str]) -> dict[str, Any]:
    names, paths = set(headers), []
    if hiding:
        exchange = reading.exchange(span)
        for rule in hiding:
            told = rule.then.get("captureOnly", {})
            if told and rule.holds(exchange):
                names |= {name.lower() for name in told.get("redactHeaders", ())}
                paths += told.get("redactJsonPaths", ())
    pairs = span.raw.get("attributes") or ()
    return {**span.raw, "attributes": [_pair(pair, span, names, paths) for pair in pairs]}


def _pair(pair: dict[str, Any], span: reading.Span, names: Collection[str], paths: list[str]) -> dict[str, Any]:
    key = pair["key"]
    for prefix in (REQUEST_HEADER, RESPONSE_HEADER):
        if key.startswith(prefix) and key[len(prefix) :].lower() in names:
            return {"key": key, "value": {"stringValue": REDACTED}}
    if paths and key in BODIES:
        return {"key": key, "value": {"stringValue": _without(span, BODIES[key], paths)}}
    return pair


def _without(span: reading.Span, side: str, paths: list[str]) -> str:
    """The body with REDACTED at these paths; one that is not JSON has none of them.

    What is too large, cut off or too intricate to be looked into is left out whole: keeping it might keep the secret.
    """
    body = carried.body(span.attributes, side) or Body("")
    if len(body.text) > expressions.LARGEST_BODY:
        return REDACTED
    value = body.value
    if value is UNREADABLE:
        return REDACTED if body.content.lstrip()[:1] in (b"{", b"[") else body.text
    try:
        for path in paths:
            for node in list(expressions.selected(expressions.json_path(path), value)):
                value = _put(value, node.parts)
    except expressions.Exhausted:
        return REDACTED
    written = json.dumps(value, ensure_ascii=False, separators=(",", ":"))
    return base64.b64encode(written.encode(errors="surrogatepass")).decode() if body.encoding else written


def _put(value: Any, parts: tuple[Any, ...]) -> Any:
    """The value with REDACTED at this place; a place inside one that was redacted already is gone."""
    if not parts:
        return REDACTED
    inner = value
    for part in parts[:-1]:
        inner = inner[part]
        if inner == REDACTED:
            return value
    inner[parts[-1]] = REDACTED
    return value
