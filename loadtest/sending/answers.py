"""What the caller of POST /request gets, and what its run keeps (contract: load testing §9.2, §14.7)."""

import time
from collections.abc import Iterable
from typing import Any

from loadtest.composing.compose import Prepared
from loadtest.runs.masking import masked_config, storable, without
from loadtest.scripting.facts import Outcome

from .delivery import Delivery

MAX_STORED = 64 * 1024  # characters of a body in a run


def answer(
    run_id: str, prepared: Prepared | None, delivery: Delivery, before: Outcome, after: Outcome
) -> dict[str, Any]:
    """The whole answer, under the names of both families of clients."""
    timing = {name: round(ms, 3) for name, ms in delivery.timing.items()}
    made = {
        "runId": run_id,
        "statusCode": delivery.code,
        "status": delivery.code,
        "statusText": delivery.reason,
        "headers": dict(delivery.headers),
        "body": delivery.content.shown,
        "bodyRaw": delivery.content.shown,
        "bodySize": len(delivery.content.data),
        "timing": {f"{name}Ms": ms for name, ms in timing.items()} | timing,
        "testResults": [*before.tests, *after.tests],
        "consoleLogs": [*(f"[pre] {line}" for line in before.console), *after.console],
        "requestHeaders": _sent_headers(prepared, delivery),
        "rawRequest": delivery.raw.decode(errors="replace"),
    }
    if delivery.content.binary:
        made["bodyBase64"] = True
    if not delivery.code:
        made |= {"errorCode": delivery.error_code, "errorMessage": delivery.error_message}
    errors = {"preScriptError": before.error, "postScriptError": after.error}
    return made | {name: text for name, text in errors.items() if text is not None}


def kept(prepared: Prepared | None, delivery: Delivery, secrets: Iterable[str]) -> dict[str, Any]:
    """The result of the run: without credentials, bodies cut."""
    timing = {f"{name}Ms": round(ms, 3) for name, ms in delivery.timing.items()}
    headers = _sent_headers(prepared, delivery)
    request = {"method": prepared.method, "url": prepared.url, "headers": headers} if prepared else {}
    sent = prepared.body.decode(errors="replace") if prepared else ""
    trace = {
        "request": masked_config(request, secrets) | _body(sent),
        "response": masked_config({"headers": dict(delivery.headers)}) | _stored(delivery),
        "bytesSent": delivery.bytes_sent,
        "bytesReceived": delivery.bytes_received,
        **timing,
    }
    result = {
        "timestamp": round(time.time() * 1000),
        "statusCode": delivery.code,
        "statusText": delivery.reason,
        "latencyMs": timing["totalMs"],
    }
    if not delivery.code:
        result["error"] = delivery.error_message
        trace["errorCode"] = delivery.error_code
    return storable(without(result | {"trace": trace}, secrets))


def _stored(delivery: Delivery) -> dict[str, Any]:
    if not delivery.content.binary:
        return _body(delivery.content.text)
    most = MAX_STORED // 4 * 3
    cut = {"bodyTruncated": True} if len(delivery.content.data) > most else {}
    return {"body": delivery.content.base64(most), "bodyBase64": True} | cut


def _body(text: str) -> dict[str, Any]:
    return {"body": text[:MAX_STORED]} | ({"bodyTruncated": True} if len(text) > MAX_STORED else {})


def _sent_headers(prepared: Prepared | None, delivery: Delivery) -> dict[str, str]:
    """Header names and values as they were sent; of a request that never left, those that would have been."""
    head = delivery.raw.partition(b"\r\n\r\n")[0].decode("latin-1").split("\r\n")[1:]
    pairs = [(name, value.strip()) for name, _, value in (line.partition(":") for line in head)]
    joined: dict[str, str] = {}
    for name, value in pairs or (prepared.headers if prepared else ()):
        joined[name] = f"{joined[name]}, {value}" if name in joined else value
    return joined
