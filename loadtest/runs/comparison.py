"""Two reports side by side: what became better, what worse (contract: load testing §16.9). Pure."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

NOISE_PCT = 5.0  # changes below this are within what two runs of the same thing differ by


@dataclass(frozen=True)
class Measure:
    """One figure of a report: where it stands, its unit, and whether more of it is good (None: neither)."""

    name: str
    label: str
    section: str
    field: str
    unit: str
    more_is_better: bool | None
    floor: float = 0.0  # differences up to this are no differences, whatever they are in per cent


MEASURES = (
    Measure("throughput", "Responses per second", "summary", "throughput", "/s", True),
    Measure("totalRequests", "Requests", "summary", "totalRequests", "", None),
    Measure("errorRate", "Failed", "summary", "errorRate", "%", False, 0.1),
    Measure("droppedRequests", "Dropped", "summary", "droppedRequests", "", False),
    Measure("avgMs", "Mean latency", "latency", "avg", "ms", False, 0.05),
    Measure("p50Ms", "p50", "latency", "p50", "ms", False, 0.05),
    Measure("p95Ms", "p95", "latency", "p95", "ms", False, 0.05),
    Measure("p99Ms", "p99", "latency", "p99", "ms", False, 0.05),
    Measure("maxMs", "Slowest", "latency", "max", "ms", None),
    Measure("avgQueueWaitMs", "Wait in the generator", "summary", "avgQueueWaitMs", "ms", False, 0.05),
)


def compare(before: Mapping[str, Any], after: Mapping[str, Any]) -> list[dict[str, Any]]:
    """One row a measure: `{metric, label, unit, before, after, change, changePct, direction, verdict}`.

    `changePct` is None when there was nothing before. `direction` is up, down or same; `verdict` better, worse or
    same, and `unknown` for a latency of a run without a response.
    """
    return [_row(measure, before, after) for measure in MEASURES]


def _row(measure: Measure, before: Mapping[str, Any], after: Mapping[str, Any]) -> dict[str, Any]:
    old, new = (float(report[measure.section][measure.field]) for report in (before, after))
    change = new - old
    percent = 100 * change / old if old else None
    small = abs(change) <= measure.floor or (percent is not None and abs(percent) < NOISE_PCT)
    return {
        "metric": measure.name,
        "label": measure.label,
        "unit": measure.unit,
        "before": old,
        "after": new,
        "change": change,
        "changePct": percent,
        "direction": "same" if not change else "up" if change > 0 else "down",
        "verdict": _verdict(measure, change, small=small, known=_known(measure, before) and _known(measure, after)),
    }


def _known(measure: Measure, report: Mapping[str, Any]) -> bool:
    """A latency of 0 is none."""
    return measure.section != "latency" or report["latency"]["max"] > 0


def _verdict(measure: Measure, change: float, *, small: bool, known: bool) -> str:
    if not known:
        return "unknown"
    if small or not change or measure.more_is_better is None:
        return "same"
    return "better" if (change > 0) == measure.more_is_better else "worse"
