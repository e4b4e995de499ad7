"""The bodies of runs as JSON schemas, for the API document (contract: load testing §10.1, §16)."""

from loadtest.composing.compose import METHODS
from loadtest.engine.plan import MAX_CONCURRENCY, MAX_IN_FLIGHT, MAX_ITERATIONS, MAX_RPS, Mode
from loadtest.runs.order import DAY_MS, MAX_SHARDS
from loadtest.runs.thresholds import LIMITS
from loadtest.views import Schema
from loadtest.workspace.shapes import AUTH, BODY, FLAG, NULLABLE_TEXT, PAIRS, TEXT, record


def whole(low: int, high: int, default: int | None = None) -> Schema:
    shape: Schema = {"type": "integer", "minimum": low, "maximum": high}
    return shape if default is None else shape | {"default": default}


DURATION: Schema = {
    "oneOf": [TEXT, {"type": "number", "minimum": 0}],
    "description": 'Such as "500ms", "60s", "2m", "1h"; a number is seconds',
}
RUN: Schema = record(
    method={"type": "string", "enum": list(METHODS)},
    url=TEXT,
    headers=PAIRS,
    params=PAIRS,
    body=BODY,
    auth=AUTH,
    requestId=NULLABLE_TEXT,
    environmentId=NULLABLE_TEXT,
    mode={"type": "string", "enum": list(Mode)},
    duration=DURATION,
    targetRps={"type": "number", "minimum": 0, "exclusiveMinimum": True, "maximum": MAX_RPS},
    maxInFlight=whole(1, MAX_IN_FLIGHT),
    concurrency=whole(1, MAX_CONCURRENCY),
    startConcurrency=whole(0, MAX_CONCURRENCY, 1),
    rampUpDuration=DURATION,
    iterations=whole(1, MAX_ITERATIONS),
    timeout=whole(1, DAY_MS) | {"description": "Milliseconds for one request"},
    followRedirects=FLAG | {"default": True},
    maxRedirects=whole(0, 100, 10),
    verifySSL=FLAG | {"default": True},
    tests=TEXT | {"description": "A script for sampled responses, run after the load"},
    thresholds=record(**{name: {"type": "number", "minimum": 0} for name in LIMITS}),
    shards=whole(1, MAX_SHARDS),
    comment=TEXT,
    success_sample_rate=whole(1, 100_000, 100),
    slow_threshold_ms=whole(0, DAY_MS, 1000),
    response_sample_rate=whole(1, 100_000, 100),
    max_response_samples=whole(0, 1_000_000, 1000),
    save_timing_breakdown=FLAG,
) | {"required": ["method", "url"]}
BASELINE: Schema = record(baseline=FLAG) | {"required": ["baseline"]}
STARTED: Schema = record(runId=TEXT, status=TEXT, message=TEXT)
