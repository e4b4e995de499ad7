"""The bodies of POST /request as JSON schemas, for the API document (contract: load testing §9)."""

from loadtest.composing.compose import METHODS
from loadtest.workspace.shapes import (
    AUTH,
    BODY,
    FLAG,
    NULLABLE_TEXT,
    PAIRS,
    SCRIPTS,
    TEXT,
    WHOLE,
    Schema,
    listed,
    record,
)

_TIMES = ("total", "wire", "queueWait", "dns", "connect", "tls", "firstByte", "download")
_TEXTS: Schema = {"type": "object", "additionalProperties": TEXT}

ASKED: Schema = record(
    method={"type": "string", "enum": list(METHODS)},
    url=TEXT,
    headers=PAIRS,
    params=PAIRS,
    body=BODY,
    auth=AUTH,
    requestId=NULLABLE_TEXT,
    environmentId=NULLABLE_TEXT,
    timeout={"type": "integer", "minimum": 1, "maximum": 86_400_000, "description": "Milliseconds"},
    followRedirects=FLAG,
    maxRedirects={"type": "integer", "minimum": 0, "maximum": 100},
    verifySSL=FLAG,
    **SCRIPTS,
) | {"required": ["method", "url"]}

ANSWER: Schema = record(
    runId=TEXT,
    statusCode=WHOLE,
    status=WHOLE,
    statusText=TEXT,
    headers=_TEXTS,
    body=TEXT,
    bodyRaw=TEXT,
    bodySize=WHOLE,
    bodyBase64=FLAG,
    timing=record(**{f"{name}{unit}": {"type": "number"} for name in _TIMES for unit in ("Ms", "")}),
    testResults=listed(record(name=TEXT, passed=FLAG, error=TEXT)),
    consoleLogs=listed(TEXT),
    requestHeaders=_TEXTS,
    rawRequest=TEXT,
    errorCode=TEXT,
    errorMessage=TEXT,
    preScriptError=TEXT,
    postScriptError=TEXT,
)
