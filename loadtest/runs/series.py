"""The stored series of a run as JSON, in pages (contract: load testing §12)."""

import json
from typing import Any

from loadtest.runs.models import RunTick

LIMIT, MOST, FURTHEST = 5_000, 50_000, 1 << 31


def page(run_id: str, *, limit: str | None, offset: str | None) -> dict[str, Any]:
    """One element a tick. An unreadable limit is the default, a negative or unreadable offset 0."""
    most, start = _number(limit), _number(offset)
    most = min(most, MOST) if most > 0 else LIMIT
    start = min(max(start, 0), FURTHEST)
    ticks = RunTick.objects.filter(run_id=run_id).order_by("n")
    total = ticks.count()
    data = [point(json.loads(text)) for text in ticks.values_list("data", flat=True)[start : start + most]]
    more = start + len(data) < total
    facts = {"total": total, "limit": most, "offset": start, "hasMore": more, "returned": len(data)}
    return {"data": data, "pagination": facts}


def _number(text: str | None) -> int:
    try:
        return int(text or "")
    except ValueError:
        return 0


def point(tick: dict[str, Any]) -> dict[str, Any]:
    """A tick in the names of this series."""
    return {
        "timestamp": tick["timestamp"],
        "elapsed_seconds": tick["elapsedSeconds"],
        "requests_completed": tick["totalRequests"],
        "requests_failed": tick["totalErrors"],
        "current_rps": tick["currentRps"],
        "current_concurrency": tick["activeConnections"],
        "send_rate": tick["sendRate"],
        "throughput": tick["throughput"],
        "backpressure": tick["backpressure"],
        "error_rate": tick["errorRate"],
        "dropped_requests": tick["droppedRequests"],
        "bytes_sent": tick["bytesSent"],
        "bytes_received": tick["bytesReceived"],
        "latency_p50_ms": tick["latencyP50Ms"],
        "latency_p95_ms": tick["latencyP95Ms"],
        "latency_p99_ms": tick["latencyP99Ms"],
        "avg_latency_ms": tick["avgLatencyMs"],
        "status_codes": tick["statusCodes"],
    }
