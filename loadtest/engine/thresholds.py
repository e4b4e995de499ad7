"""Conditions a run has to meet, such as `p95<300ms`, `errors<1%` or `rps>=500`."""

import re
from collections.abc import Callable
from dataclasses import dataclass
from operator import ge, gt, le, lt
from typing import Any

from loadtest.engine.plan import PlanError

_OPERATORS: dict[str, Callable[[float, float], bool]] = {"<": lt, "<=": le, ">": gt, ">=": ge}
_MS_PER = {"us": 0.001, "ms": 1.0, "s": 1000.0, "": 1.0}
LATENCIES = ("avg", "min", "max", "p50", "p75", "p90", "p95", "p99", "p999")
_EXPRESSION = re.compile(r"\s*(\w+)\s*(<=|>=|<|>)\s*(\d+(?:\.\d+)?)\s*(us|ms|s|%)?\s*").fullmatch


@dataclass(frozen=True)
class Threshold:
    """One condition. `limit` is in ms for a latency, in per cent for `errors`, per second for `rps`."""

    text: str
    metric: str
    operator: str
    limit: float

    def check(self, report: dict[str, Any]) -> dict[str, Any]:
        """What was found: metric, limit, actual, passed. Without a single response no latency passes."""
        if self.metric in LATENCIES:
            actual = report["latency"][self.metric]
            known = report["latency"]["max"] > 0
        else:
            actual = report["summary"]["errorRate" if self.metric == "errors" else "throughput"]
            known = report["summary"]["totalRequests"] > 0
        passed = known and _OPERATORS[self.operator](actual, self.limit)
        return {"threshold": self.text, "metric": self.metric, "limit": self.limit, "actual": actual, "passed": passed}


def parse(text: str) -> Threshold:
    """Raises PlanError."""
    match = _EXPRESSION(text)
    if match is None:
        raise PlanError("threshold", f"{text!r} is not of the form p95<300ms, errors<1% or rps>500")
    metric, operator, number, unit = match[1], match[2], float(match[3]), match[4] or ""
    if metric in LATENCIES and unit != "%":
        return Threshold(text, metric, operator, number * _MS_PER[unit])
    if (metric == "errors" and unit in ("", "%")) or (metric == "rps" and not unit):
        return Threshold(text, metric, operator, number)
    raise PlanError("threshold", f"{text!r}: use {', '.join(LATENCIES)} with ms or s, errors with %, or rps")
