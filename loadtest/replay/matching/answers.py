"""The responses that rules write (contract §7.3)."""

import json
from collections.abc import Mapping
from typing import Any

from loadtest.replay.spans.exchange import Body, Response

BODILESS = (204, 304)


def mocked(told: Mapping[str, Any]) -> Response:
    """The response of a `mock`: a text as it is, other JSON compact, null or absent no body."""
    headers = tuple((name.lower(), value) for name, value in told.get("headers", {}).items())
    return Response(int(told.get("status", 200)), headers, _body(told.get("body")))


def failed(told: Mapping[str, Any]) -> Response:
    """The response of an `error`, as JSON: a text becomes `{"error": "<text>"}`."""
    body, status = told.get("body"), int(told["status"])
    written = None if status in BODILESS else _body({"error": body} if isinstance(body, str) else body)
    return Response(status, (("content-type", "application/json"),), written)


def is_misread(status: int) -> bool:
    """True for what a proxy takes for a hit, a miss or no answer yet when it is the status of `/v1/inject` itself."""
    return status in (200, 404) or status < 200


def _body(value: Any) -> Body | None:
    match value:
        case None | "":
            return None
        case str():
            return Body(value)
        case _:
            return Body(json.dumps(value, ensure_ascii=False, separators=(",", ":")))
