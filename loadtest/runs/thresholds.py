"""Limits that a run has to keep, and what became of them (contract: load testing §16.4)."""

from collections.abc import Mapping
from typing import Any

from config.api.errors import Invalid
from loadtest.engine.thresholds import Threshold
from loadtest.runs.fields import is_number

HIGHEST = 10**12

LIMITS = {  # what each is called in the engine, and which way it is kept
    "latencyP50Ms": ("p50", "<="),
    "latencyP95Ms": ("p95", "<="),
    "latencyP99Ms": ("p99", "<="),
    "maxErrorRatePct": ("errors", "<="),
    "minThroughputRps": ("rps", ">="),
}


def check(limits: Mapping[str, Any]) -> None:
    """Raise Invalid unless every limit is known and a number that makes sense; null sets none."""
    for name, limit in limits.items():
        if name not in LIMITS:
            raise Invalid(f"'thresholds.{name}' is unknown; use {', '.join(LIMITS)}")
        if limit is None:
            continue
        if not is_number(limit) or not 0 <= limit <= HIGHEST:
            raise Invalid(f"'thresholds.{name}' must be a number from 0 to {HIGHEST:g}")


def judged(limits: Mapping[str, Any], report: Mapping[str, Any]) -> dict[str, Any] | None:
    """The report's section `thresholdValidation`; None when no limit was set."""
    checks = []
    for name, limit in limits.items():
        if limit is not None and name in LIMITS:
            metric, operator = LIMITS[name]
            found = Threshold(name, metric, operator, float(limit)).check(dict(report))
            checks.append({"metric": name, "limit": limit, "actual": found["actual"], "passed": found["passed"]})
    if not checks:
        return None
    passed = sum(check["passed"] for check in checks)
    verdict = "passed" if passed == len(checks) else "failed"
    return {"checks": checks, "passed": passed, "failed": len(checks) - passed, "verdict": verdict}
