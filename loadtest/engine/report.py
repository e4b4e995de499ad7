"""Ticks and the report of a run, from added-up figures. contract: load testing §11.3 and §14."""

from http import HTTPStatus
from typing import Any

from loadtest.engine.capture import Samples
from loadtest.engine.plan import Mode, RunSpec
from loadtest.engine.stats import REPORTED_AS, Cell, Fault, Figures, extremes, percentiles

RESULTS, ERROR_RESULTS, SLOW_RESULTS = 100, 50, 25


def ratio(part: float, whole: float) -> float:
    return part / whole if whole else 0.0


def ms(us: float) -> float:
    return us / 1000


def tick(spec: RunSpec, figures: Figures, before: dict[str, Any] | None, *, start_ns: int) -> dict[str, Any]:
    """One point of the live series, without the run's id and the wall clock. `before` is the tick before it."""
    elapsed_s = max(0.0, (figures.published_ns - start_ns) / 1e9)
    responses, completed = figures[Cell.RESPONSES], figures.completed
    since_s = elapsed_s - (before["elapsedSeconds"] if before else 0.0)
    if since_s > 0:
        current_rps = (completed - (before["totalRequests"] if before else 0)) / since_s
    else:
        current_rps = before["currentRps"] if before else 0.0
    p50, p95, p99 = percentiles(figures.latency(), (50, 95, 99))
    classes = {f"status{n}xx": sum(c for code, c in figures.statuses.items() if code // 100 == n) for n in range(2, 6)}
    return {
        "elapsedSeconds": elapsed_s,
        "totalRequests": completed,
        "totalSuccess": figures.succeeded,
        "totalErrors": completed - figures.succeeded,
        "errorRate": ratio(100 * (completed - figures.succeeded), completed),
        "currentRps": current_rps,
        "sendRate": ratio(figures[Cell.SENT], elapsed_s),
        "throughput": ratio(responses, elapsed_s),
        "activeConnections": figures[Cell.IN_FLIGHT],
        "backpressure": max(0, figures[Cell.SENT] - completed),
        "droppedRequests": figures[Cell.DROPPED],
        "avgLatencyMs": ms(ratio(figures[Cell.TOTAL_US], responses)),
        "avgQueueWaitMs": ms(ratio(figures[Cell.QUEUE_US], responses)),
        "latencyP50Ms": ms(p50),
        "latencyP95Ms": ms(p95),
        "latencyP99Ms": ms(p99),
        "bytesSent": figures[Cell.BYTES_SENT],
        "bytesReceived": figures[Cell.BYTES_RECEIVED],
        "requestsSent": figures[Cell.SENT],
        "requestsExpected": spec.expected,
        **classes,
        "statusCodes": {str(code): count for code, count in figures.statuses.items()},
    }


def report(spec: RunSpec, figures: Figures, samples: Samples, *, start_ns: int) -> dict[str, Any]:
    """All sections the engine can know. The caller adds `metadata` and `testValidation`."""
    completed, responses, succeeded = figures.completed, figures[Cell.RESPONSES], figures.succeeded
    lasted_s = max(0.0, (figures.ended_ns - start_ns) / 1e9) if completed else 0.0
    made: dict[str, Any] = {
        "summary": {
            "totalRequests": completed,
            "successfulRequests": succeeded,
            "failedRequests": completed - succeeded,
            "errorRate": ratio(100 * (completed - succeeded), completed),
            "testDuration": lasted_s,
            "totalDurationSeconds": lasted_s,
            "avgRps": ratio(completed, lasted_s),
            "sendRate": ratio(figures[Cell.SENT], lasted_s),
            "throughput": ratio(responses, lasted_s),
            "peakConcurrency": figures[Cell.PEAK],
            "requestsSent": figures[Cell.SENT],
            "requestsExpected": spec.expected,
            "droppedRequests": figures[Cell.DROPPED],
            "unfinishedRequests": max(0, figures[Cell.SENT] - completed),
            "retriedRequests": figures[Cell.RETRIED],
            "connectionsOpened": figures[Cell.CONNECTED],
            "avgQueueWaitMs": ms(ratio(figures[Cell.QUEUE_US], responses)),
            "bytesSent": figures[Cell.BYTES_SENT],
            "bytesReceived": figures[Cell.BYTES_RECEIVED],
            "throughputBytesPerSec": ratio(figures[Cell.BYTES_RECEIVED], lasted_s),
            "generatorCpuSeconds": figures[Cell.CPU_US] / 1e6,
            "generatorPeakMemoryBytes": 1024 * figures.peak_rss_kb,  # of the largest process
        },
        "latency": latency(figures),
        "statusCodes": {str(code): count for code, count in figures.statuses.items()},
        "errors": _errors(figures, samples),
        "results": _results(samples),
    }
    if spec.mode == Mode.CONSTANT_RPS:
        actual = made["summary"]["throughput"]
        made["rateControl"] = {
            "targetRps": spec.rate,
            "actualRps": actual,
            "achievement": ratio(100 * actual, spec.rate),
        }
    if responses:
        made["timingBreakdown"] = _timing(spec, figures)
        if spec.sampling.slow_ms:
            slow = figures[Cell.SLOW]
            percentage = ratio(100 * slow, completed)
            made["slowRequests"] = {"count": slow, "thresholdMs": spec.sampling.slow_ms, "percentage": percentage}
    return made


def latency(figures: Figures) -> dict[str, float]:
    """contract: load testing §14.3. Milliseconds; all 0 without a response."""
    histogram = figures.latency()
    names = {"p50": 50, "p75": 75, "p90": 90, "p95": 95, "p99": 99, "p999": 99.9}
    values = dict(zip(names, map(ms, percentiles(histogram, list(names.values()))), strict=True))
    low, high = extremes(histogram)
    average = ms(ratio(figures[Cell.TOTAL_US], figures[Cell.RESPONSES]))
    return {"min": ms(low), "max": ms(high), "avg": average, "median": values["p50"], **values}


def _errors(figures: Figures, samples: Samples) -> dict[str, Any]:
    types: dict[str, int] = {}
    for fault, count in figures.faults.items():
        types[REPORTED_AS[fault]] = types.get(REPORTED_AS[fault], 0) + count
    by_status = {str(code): count for code, count in figures.statuses.items() if code == 0 or code >= 400}
    errors = {
        "total": figures.completed - figures.succeeded,
        "withDetails": len(samples.kinds["error"].items()),
        "types": types,
        "faults": {fault.value: count for fault, count in figures.faults.items()},
    }
    return errors | ({"byStatusCode": by_status} if by_status else {})


def _timing(spec: RunSpec, figures: Figures) -> dict[str, Any]:
    responses = figures[Cell.RESPONSES]
    parts = {
        "avgDnsMs": spec.dns_us,  # one look-up for the whole run
        "avgConnectMs": figures[Cell.CONNECT_US],
        "avgTlsMs": figures[Cell.TLS_US],
        "avgDownloadMs": figures[Cell.DOWNLOAD_US],
    }
    # The parts of each request add up to its latency, so the first byte is what the others leave. The look-up came
    # before the first request.
    other = figures[Cell.QUEUE_US] + sum(parts.values()) - spec.dns_us
    parts["avgFirstByteMs"] = max(0, figures[Cell.TOTAL_US] - other)
    phases = {
        name: dict(zip(("p50", "p95", "p99"), map(ms, percentiles(histogram, (50, 95, 99))), strict=True))
        for name, histogram in {
            "connect": figures.part("connect"),
            "tls": figures.part("tls"),
            "firstByte": figures.first_byte(),
            "download": figures.part("download"),
            "queueWait": figures.part("queue"),
        }.items()
    }
    return {name: ms(ratio(us, responses)) for name, us in parts.items()} | {"phases": phases}


def _results(samples: Samples) -> list[dict[str, Any]]:
    """At most 100 exchanges, oldest first: errors, then slow ones, then regular samples. contract: §14.7."""
    chosen: list[dict[str, Any]] = []
    for kind, most in (("error", ERROR_RESULTS), ("slow", SLOW_RESULTS), ("sample", RESULTS)):
        fresh = [facts for facts, _ in samples.kinds[kind].items() if facts not in chosen]
        chosen += fresh[: min(most, RESULTS - len(chosen))]
    return [_result(facts) for facts in sorted(chosen, key=lambda facts: facts["at"])]


def _result(facts: dict[str, Any]) -> dict[str, Any]:
    element: dict[str, Any] = {
        "timestamp": facts["at"],
        "statusCode": facts["status"],
        "statusText": _reason(facts["status"]),
        "latencyMs": ms(facts["totalUs"]),
    }
    timing = {f"{name[:-2]}Ms": ms(us) for name, us in facts.items() if name.endswith("Us")}
    if "fault" in facts:
        kind = REPORTED_AS[Fault(facts["fault"])]
        element["error"] = facts["message"]
        element["trace"] = {"error_type": kind, "message": facts["message"], "timing": timing}
    else:
        element["trace"] = timing
        if facts["status"] >= 400:
            element["error"] = f"HTTP {facts['status']}"
    return element


def _reason(status: int) -> str:
    try:
        return HTTPStatus(status).phrase
    except ValueError:
        return "" if status else "Error"
