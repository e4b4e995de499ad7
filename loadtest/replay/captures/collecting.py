"""A captured case as a collection of requests, so that what was seen once can be sent as load."""

from typing import Any

from django.db import transaction

from config.api.authentication import Principal
from config.api.errors import Invalid
from config.api.permissions import OPERATOR, require
from loadtest.replay.captures.documents import traces
from loadtest.replay.captures.models import Capture
from loadtest.replay.matching.recordings import identity
from loadtest.replay.matching.redaction import REDACTED
from loadtest.replay.spans.exchange import Exchange
from loadtest.replay.spans.reading import exchange, spans
from loadtest.workspace.collections import save_collection
from loadtest.workspace.requests import save_request

MOST_REQUESTS = 500
# What the sender sets by itself, and what was masked when the exchange was kept.
LEFT_OUT = frozenset(("host", "content-length", "connection", "transfer-encoding", "accept-encoding", "te", "trailer"))
OUR_OWN = ("x-softprobe-", "traceparent", "tracestate", "x-request-id")


def collect(*, capture: Capture, actor: Principal) -> dict[str, Any]:
    """Make the collection: the case's inbound requests, each different one once; the outbound ones if it has no other.

    Raises Forbidden, Invalid for a case without requests. Bodies that are no text, or cut off, are left out and told.
    """
    require(actor, OPERATOR)
    inbound, outbound = _different(capture)
    found = inbound or outbound
    if not found:
        raise Invalid("The case holds no request")
    skipped = 0
    with transaction.atomic():
        name = f"Captured: {capture.head.get('caseId', capture.pk)}"[:200].replace("\x00", "")
        collection = save_collection(body={"name": name}, actor=actor)
        for asked in found[:MOST_REQUESTS]:
            if asked.body and (asked.body.encoding or asked.body.truncated):
                skipped += 1
                continue
            save_request(body=_request(asked) | {"collectionId": collection.pk}, actor=actor)
    skipped += max(0, len(found) - MOST_REQUESTS)
    return {"collectionId": collection.pk, "requestCount": len(found) - skipped, "skippedCount": skipped}


def _different(capture: Capture) -> tuple[list[Exchange], list[Exchange]]:
    """Inbound and outbound requests in captured order, each identity once; a little more than are used."""
    seen: set[str] = set()
    sides: dict[bool, list[Exchange]] = {True: [], False: []}
    for document in traces(capture):
        for span in spans(document):
            asked = exchange(span)
            if span.kind == "inject" or not asked.method or not asked.authority or "\x00" in asked.target:
                continue
            side = sides[asked.direction == "inbound"]
            if (name := identity(asked)) not in seen and len(side) < 2 * MOST_REQUESTS:
                seen.add(name)
                side.append(asked)
    return sides[True], sides[False]


def _request(asked: Exchange) -> dict[str, Any]:
    scheme = asked.scheme or "http"
    target = asked.target if asked.target.startswith("/") else f"/{asked.target}"
    headers = {
        name: value
        for name, value in asked.header_values.items()
        if name not in LEFT_OUT and not name.startswith(OUR_OWN) and REDACTED not in value and "\x00" not in value
    }
    made: dict[str, Any] = {
        "name": f"{asked.method} {asked.path}"[:200],
        "method": asked.method,
        "url": f"{scheme}://{asked.authority}{target}",
        "headers": headers,
    }
    if asked.body:
        made |= {"body": asked.body.text, "bodyType": "raw"}
    return made
