"""Deferred tests over the responses that were sampled (contract: load testing §14.8)."""

import logging
from typing import Any

from loadtest.composing.variables import Scopes
from loadtest.engine.capture import MAX_PAYLOAD_BYTES
from loadtest.engine.exchange import parse
from loadtest.engine.http1 import ProtocolError
from loadtest.engine.samples import Item, Samples
from loadtest.engine.series import ms
from loadtest.runs.masking import without
from loadtest.runs.planning import Plan, secrets_in
from loadtest.scripting import deferred
from loadtest.scripting.facts import TEST, Facts, Request, Response
from loadtest.scripting.limits import configured

log = logging.getLogger(__name__)


def made(plan: Plan, samples: Samples) -> dict[str, Any] | None:
    """The report's section `testValidation`; None without tests or without a response to test."""
    if not plan.tests.strip():
        return None
    bodiless = plan.spec.method == "HEAD"
    responses = [response for item in samples.responses if (response := _response(item, bodiless))]
    found = deferred.validate(plan.tests, responses, _facts(plan), configured())
    return without(found, _secrets(plan.facts))


def _secrets(facts: dict[str, Any]) -> list[str]:
    """What a failed test may not print."""
    return secrets_in(Scopes(facts["environment"] or {}, facts["collections"], facts["globals"]))


def _response(item: Item, bodiless: bool) -> Response | None:
    facts, payload = item
    try:
        found = parse(payload, size=facts.get("size", len(payload)), bodiless=bodiless)
    except ProtocolError as error:
        log.debug("a sampled response cannot be read: %s", error)
        return None
    return Response(
        code=found.status,
        reason=found.reason,
        headers=tuple((name.lower(), value) for name, value in found.headers),
        text=found.body.decode(errors="replace"),
        time_ms=ms(facts["totalUs"]),
        wire_ms=ms(facts.get("wireUs", 0)),
        queue_wait_ms=ms(facts.get("queueWaitUs", 0)),
        body_size=len(found.body),
        header_size=min(len(payload), MAX_PAYLOAD_BYTES) - len(found.body),
    )


def _facts(plan: Plan) -> Facts:
    kept = plan.facts
    request = kept["request"] | {"headers": tuple((name, value) for name, value in kept["request"]["headers"])}
    return Facts(
        event=TEST,
        request=Request(**request),
        environment=kept["environment"],
        collections=kept["collections"],
        globals=kept["globals"],
        request_id=kept["request_id"],
    )
