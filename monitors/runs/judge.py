"""From measured samples to a verdict: metrics, Apdex, thresholds (contract: monitors §5.3)."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

DEFAULT_T_MS = 500.0


@dataclass(frozen=True)
class Rule:
    """A threshold: the metric it looks at, the unit of its limit, and the factor from metric to that unit."""

    metric: str
    unit: str
    at_least: bool = False  # False: a breach is above the limit
    factor: float = 1.0
    highest: float | None = None  # the highest limit that makes sense


RULES = {
    "latencyMs": Rule("p95", "ms"),
    "errorRatePercent": Rule("errorRate", "%", factor=100, highest=100),
    "apdexMin": Rule("apdex", "", at_least=True, highest=1),
    "p50Ms": Rule("p50", "ms"),
    "p99Ms": Rule("p99", "ms"),
    "avgMs": Rule("avg", "ms"),
    "throughputMin": Rule("throughput", "requests/s", at_least=True),
}
APDEX_T = "apdexTMs"
HIGHEST = {name: rule.highest for name, rule in RULES.items()} | {APDEX_T: None}
_TIMES = frozenset({"p50", "p95", "p99", "avg", "min", "max"})
_RATES = frozenset({"errorRate", "throughput", "apdex"})


def rounded(metrics: Mapping[str, Any]) -> dict[str, Any]:
    """Times (and parts of one request, `…Ms`) to 3 decimals, rates to 6."""

    def one(name: str, value: Any) -> Any:
        if not isinstance(value, float):
            return value
        return round(value, 3 if name in _TIMES or name.endswith("Ms") else 6)

    return {name: one(name, value) for name, value in metrics.items()}


def apdex(*, satisfied: int, tolerating: int, total: int) -> float | None:
    """`(satisfied + tolerating/2) / total`; None without requests. A failed request is in neither."""
    return (satisfied + tolerating / 2) / total if total else None


def breaches(metrics: Mapping[str, Any], thresholds: Mapping[str, float]) -> list[dict[str, Any]]:
    """The limits that rounded metrics break, in the order of RULES. No limit at all: total failure is a breach."""
    found = []
    for name, rule in RULES.items():
        limit = thresholds.get(name)
        if limit is None:
            continue
        value = metrics.get(rule.metric)
        actual = None if value is None else round(value * rule.factor, 6)
        if _broken(actual, limit, rule):
            found.append(breach(name, rule.metric, limit, actual, rule.unit, rule.at_least))
    if not any(name in RULES for name in thresholds) and metrics.get("errorRate") == 1:
        found.append(
            {
                "threshold": "availability",
                "metric": "errorRate",
                "limit": 100,
                "actual": 100,
                "unit": "%",
                "message": "every request failed",
            }
        )
    return found


def plain(number: float) -> str:
    """The number as a person writes it: all of its digits, no exponent, no `.0`."""
    return f"{number:.6f}".rstrip("0").rstrip(".")


def _broken(actual: float | None, limit: float, rule: Rule) -> bool:
    if actual is None:  # a floor under an unknown value is not kept
        return rule.at_least
    return actual < limit if rule.at_least else actual > limit


def breach(
    threshold: str, metric: str, limit: float | None, actual: float | None, unit: str, at_least: bool
) -> dict[str, Any]:
    side = "under" if at_least else "over"
    said = "unknown" if actual is None else plain(actual)
    return {
        "threshold": threshold,
        "metric": metric,
        "limit": limit,
        "actual": actual,
        "unit": unit,
        "message": f"{metric} {said} {unit} is {side} {plain(limit or 0)} {unit}".replace("  ", " ").strip(),
    }


def by_script(text: str) -> dict[str, Any]:
    """The breach of a script that itself ended the test as failed."""
    return {"threshold": "script", "metric": None, "limit": None, "actual": None, "unit": "", "message": text}
