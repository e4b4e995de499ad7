"""What a body of POST /run asks for, checked wholly before anything exists (contract: load testing §10.1, §10.2)."""

import math
from dataclasses import dataclass
from typing import Any

from django.conf import settings

from config.api.errors import Invalid
from loadtest.engine.plan import DAY_S, MAX_CONCURRENCY, MAX_IN_FLIGHT, MAX_ITERATIONS, MAX_RPS, Mode, Sampling
from loadtest.engine.requests import METHODS
from loadtest.runs import thresholds
from loadtest.runs.durations import seconds
from loadtest.runs.fields import Fields

MAX_TESTS = 256 * 1024
MAX_SHARDS = 32
DAY_MS = DAY_S * 1000


@dataclass(frozen=True, kw_only=True)
class Order:
    """A load test as asked for. Numbers that the mode does not use have no meaning; `timeout_ms` 0 is the default."""

    mode: Mode
    method: str
    rate: float = 0.0
    concurrency: int = 0
    start_concurrency: int = 1
    ramp_s: float = 0.0
    duration_s: float = 0.0
    iterations: int = 0
    max_in_flight: int = 0
    in_flight_given: bool = False
    timeout_ms: int = 0
    follow_redirects: bool = True
    max_redirects: int = 10
    verify: bool = True
    sampling: Sampling
    tests: str = ""
    shards: int = 1

    @property
    def peak(self) -> int:
        """The most requests that can be in flight at once."""
        if self.mode == Mode.CONSTANT_RPS:
            return self.max_in_flight
        return max(self.concurrency, self.start_concurrency if self.mode == Mode.RAMP_UP else 0)


def read(body: dict[str, Any]) -> Order:
    """The order in a body. Raises Invalid; a field that the mode does not use is not looked at."""
    fields = Fields(body)
    if not fields.text("method", 64) or not fields.text("url", 1 << 16):
        raise Invalid("Missing required fields: method, url")
    method = fields.text("method", 64).strip().upper()
    if method not in METHODS:
        raise Invalid("Invalid HTTP method")
    mode = mode_of(fields)
    thresholds.check(fields.mapping("thresholds"))
    fields.boolean("save_timing_breakdown", False)  # always kept
    fields.text("comment", 1 << 16)
    for name in ("requestId", "environmentId"):
        fields.text(name, 128)
    return Order(
        mode=mode,
        method=method,
        timeout_ms=fields.integer("timeout", 0, 1, DAY_MS),
        follow_redirects=fields.boolean("followRedirects", True),
        max_redirects=fields.integer("maxRedirects", 10, 0, 100),
        verify=fields.boolean("verifySSL", True),
        sampling=_sampling(fields),
        tests=fields.text("tests", MAX_TESTS),
        shards=fields.integer("shards", settings.LOAD_SHARDS, 1, MAX_SHARDS),
        **_PACE[mode](fields),
    )


def mode_of(fields: Fields) -> Mode:
    """The mode that is named, or that follows from the other fields (§10.2)."""
    named = fields.text("mode", 64)
    rate = _rate_name(fields)
    if not named:
        if fields.number("iterations", 0, -math.inf, math.inf) > 0:
            return Mode.ITERATIONS
        if fields.number(rate, 0, -math.inf, math.inf) > 0:
            return Mode.CONSTANT_RPS
        if fields.has("duration"):
            return Mode.CONSTANT_CONCURRENCY
        raise Invalid("Must specify either 'mode' with 'duration' or 'iterations'")
    if named == "constant":
        paced = fields.number(rate, 0, -math.inf, math.inf) > 0
        return Mode.CONSTANT_RPS if paced else Mode.CONSTANT_CONCURRENCY
    try:
        return Mode(named)
    except ValueError:
        raise Invalid(f"'mode' must be one of {', '.join(Mode)} (got '{named}')") from None


def _rate_name(fields: Fields) -> str:
    return "rps" if fields.has("rps") and not fields.has("targetRps") else "targetRps"


def _sampling(fields: Fields) -> Sampling:
    tested = bool(fields.text("tests", MAX_TESTS).strip())
    every = fields.integer("response_sample_rate", 100, 1, 100_000)
    return Sampling(
        every=fields.integer("success_sample_rate", 100, 1, 100_000),
        slow_ms=fields.integer("slow_threshold_ms", 1000, 0, DAY_MS),
        responses_every=every if tested else 0,
        max_responses=fields.integer("max_response_samples", 1000, 0, 1_000_000),
    )


def _duration(fields: Fields, name: str, default: float, *, above: bool) -> float:
    value = seconds(name, fields[name]) if fields.has(name) else default
    if (above and value <= 0) or value > DAY_S:
        raise Invalid(f"'{name}' must be {'longer than 0 and ' if above else ''}at most 24h (got {fields[name]})")
    return value


def _concurrency(fields: Fields, default: int = 100) -> int:
    return fields.integer("concurrency", default, 1, MAX_CONCURRENCY)


def _constant_rps(fields: Fields) -> dict[str, Any]:
    rate = fields.number(_rate_name(fields), None, 0, MAX_RPS, above=True)
    default = min(MAX_IN_FLIGHT, max(int(10 * rate), 1000))
    return {
        "rate": float(rate),
        "duration_s": _duration(fields, "duration", 60, above=True),
        "max_in_flight": fields.integer("maxInFlight", default, 1, MAX_IN_FLIGHT),
        "in_flight_given": fields.has("maxInFlight"),
    }


def _constant_concurrency(fields: Fields) -> dict[str, Any]:
    return {"concurrency": _concurrency(fields), "duration_s": _duration(fields, "duration", 60, above=True)}


def _ramp_up(fields: Fields) -> dict[str, Any]:
    return _constant_concurrency(fields) | {
        "start_concurrency": fields.integer("startConcurrency", 1, 0, MAX_CONCURRENCY),
        "ramp_s": _duration(fields, "rampUpDuration", 10, above=False),
    }


def _iterations(fields: Fields) -> dict[str, Any]:
    return {
        "concurrency": _concurrency(fields, 10),
        "iterations": fields.integer("iterations", 1000, 1, MAX_ITERATIONS),
    }


_PACE = {
    Mode.CONSTANT_RPS: _constant_rps,
    Mode.CONSTANT_CONCURRENCY: _constant_concurrency,
    Mode.RAMP_UP: _ramp_up,
    Mode.ITERATIONS: _iterations,
}
