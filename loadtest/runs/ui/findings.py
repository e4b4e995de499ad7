"""A report's sections as a page shows them: what failed with a sample each, where the time went, what was slow."""

from collections.abc import Mapping
from typing import Any

from config.formats import milliseconds

FAULTS = {
    "timeout": "No answer in time",
    "connection_failed": "No connection",
    "dns_failed": "Name not found",
    "ssl_error": "TLS refused",
    "invalid_url": "Bad address",
    "invalid_method": "Bad method",
    "script_error": "Script failed",
    "internal_error": "Broken answer",
    "cancelled": "Cancelled at the end",
    "unknown": "Unknown",
}
PHASES = (
    ("queueWait", "Waiting", 1, "avgQueueWaitMs"),
    ("dns", "Name look-up", 2, "avgDnsMs"),
    ("connect", "Connecting", 3, "avgConnectMs"),
    ("tls", "TLS handshake", 4, "avgTlsMs"),
    ("firstByte", "First byte", 5, "avgFirstByteMs"),
    ("download", "Download", 6, "avgDownloadMs"),
)
LATENCIES = (
    ("min", "Fastest"), ("avg", "Mean"), ("p50", "p50"), ("p75", "p75"), ("p90", "p90"), ("p95", "p95"),
    ("p99", "p99"), ("p999", "p99.9"), ("max", "Slowest"),
)  # fmt: skip
SLOWEST = 10


def findings(report: Mapping[str, Any]) -> dict[str, Any]:
    """Lists for the tables; `report` may be empty or hold only some of its sections (contract: load testing §14)."""
    results = report.get("results") or []
    return {
        "errors": errors(report, results),
        "phases": phases(report),
        "latencies": [(words, report["latency"][name]) for name, words in LATENCIES] if report.get("latency") else [],
        "statuses": statuses(report),
        "slowest": slowest(results),
        "tests": report.get("testValidation"),
        "slow": report.get("slowRequests"),
    }


def errors(report: Mapping[str, Any], results: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """Each kind of error with its count and one exchange that was kept."""
    known = report.get("errors") or {}
    found = [
        {"label": FAULTS.get(kind, kind), "count": count, "sample": _sample(results, error_type=kind)}
        for kind, count in (known.get("types") or {}).items()
        if count
    ]
    found += [
        {"label": f"HTTP {code}", "count": count, "sample": _sample(results, status=int(code))}
        for code, count in (known.get("byStatusCode") or {}).items()
        if count and code != "0"
    ]
    return sorted(found, key=lambda one: -one["count"])


def _sample(results: list[dict[str, Any]], *, error_type: str = "", status: int = 0) -> dict[str, Any] | None:
    for one in results:
        if not one.get("error"):
            continue
        kind = (one.get("trace") or {}).get("error_type")
        if (status and one.get("statusCode") == status) or (error_type and kind == error_type):
            return one
    return None


def phases(report: Mapping[str, Any]) -> list[dict[str, Any]]:
    """The parts of the time, each with its mean, percentiles and place on a bar of 1000."""
    timing = report.get("timingBreakdown")
    if not timing:
        return []
    summary = report.get("summary") or {}
    known = [
        (name, label, series, round(timing.get(field, summary.get(field, 0)) or 0, 3))  # µs are what is measured
        for name, label, series, field in PHASES
    ]
    whole, x, found = sum(ms for *_, ms in known) or 1, 0.0, []
    for name, label, series, ms in known:
        width = 1000 * ms / whole
        percentiles = (timing.get("phases") or {}).get(name)
        found.append(
            {
                "label": label,
                "series": series,
                "ms": ms,
                "percentiles": percentiles,
                "x": f"{x:.1f}",
                "width": f"{width:.1f}",
            }
        )
        x += width
    return found


def slowest(results: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """The answers that took longest among the kept ones, each with the parts of its time."""
    answered = [one for one in results if one.get("statusCode")]
    top = sorted(answered, key=lambda one: one.get("latencyMs") or 0, reverse=True)[:SLOWEST]
    return [one | {"timing": one["trace"].get("timing") or one["trace"]} for one in top if one.get("trace")]


def phase_words(found: list[dict[str, Any]]) -> str:
    return "Mean time of a request: " + ", ".join(f"{one['label']} {milliseconds(one['ms'])}" for one in found)


def statuses(report: Mapping[str, Any]) -> list[tuple[str, int]]:
    counts = report.get("statusCodes") or {}
    return [("no answer" if code == "0" else code, count) for code, count in sorted(counts.items())]
