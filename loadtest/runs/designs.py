"""The report sections of a single request sent by hand (contract: load testing §14)."""

from typing import Any

from loadtest.runs.models import Run

_PHASES = ("dns", "connect", "tls", "firstByte", "download")
_NAMES = ("min", "max", "avg", "median", "p50", "p75", "p90", "p95", "p99", "p999")


def sections(run: Run) -> dict[str, Any]:
    """Of one request, or of none while it is under way."""
    result = run.result or {}
    trace = result.get("trace") or {}
    code, done = int(result.get("statusCode") or 0), int(bool(run.result))
    good, answered = int(200 <= code < 400), bool(code)
    latency_ms = float(result.get("latencyMs") or 0.0)
    took_s = latency_ms / 1000
    failed = done - good
    error_code = str(trace.get("errorCode") or trace.get("error_code") or "unknown").lower()
    types = {} if answered or not done else {error_type(error_code): 1}
    made: dict[str, Any] = {
        "summary": {
            "totalRequests": done,
            "successfulRequests": good,
            "failedRequests": failed,
            "errorRate": 100.0 * failed,
            "testDuration": took_s,
            "totalDurationSeconds": took_s,
            "avgRps": _per(done, took_s),
            "sendRate": _per(done, took_s),
            "throughput": _per(int(answered), took_s),
            "setupOverhead": 0.0,
            "peakConcurrency": done,
            "droppedRequests": 0,
            "avgQueueWaitMs": float(trace.get("queueWaitMs") or 0.0),
            "bytesSent": int(trace.get("bytesSent") or 0),
            "bytesReceived": int(trace.get("bytesReceived") or 0),
            "throughputBytesPerSec": _per(int(trace.get("bytesReceived") or 0), took_s),
        },
        "latency": dict.fromkeys(_NAMES, latency_ms if answered else 0.0),
        "statusCodes": {str(code): 1} if done else {},
        "errors": {"total": failed, "withDetails": failed, "types": types},
        "results": [result] if done else [],
    }
    if failed:
        made["errors"]["byStatusCode"] = {str(code): 1}
    if answered:
        made["timingBreakdown"] = {
            f"avg{name[0].upper()}{name[1:]}Ms": float(trace.get(f"{name}Ms") or 0.0) for name in _PHASES
        }
    return made


def error_type(code: str) -> str:
    """The kind of error of a report for an error code of a single request (contract: load testing §9.2, §14.5)."""
    return {"dns_error": "dns_failed"}.get(code, code)


def _per(count: int, seconds: float) -> float:
    return count / seconds if seconds else 0.0
