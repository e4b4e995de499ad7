"""The report of a run, from its figures and samples alone. contract: load testing §14."""

from typing import Any

from loadtest.engine.figures import Figures
from loadtest.engine.hdr import encoded
from loadtest.engine.histogram import extremes, percentiles
from loadtest.engine.plan import Mode, Outline
from loadtest.engine.results import errors, results, sampling
from loadtest.engine.samples import Samples
from loadtest.engine.series import ms, ratio
from loadtest.engine.stats import Cell


def report(
    outline: Outline, figures: Figures, samples: Samples, *, accepted_at: float | None = None, final: bool = True
) -> dict[str, Any]:
    """All sections the engine can know. The caller adds `metadata` and `testValidation`.

    `accepted_at` is when the run was asked for, Unix seconds. A report that is not `final` goes without the encoded
    histogram, which takes longer than all the rest.
    """
    completed, responses = figures.completed, figures[Cell.RESPONSES]
    made: dict[str, Any] = {
        "summary": _summary(outline, figures, accepted_at),
        "latency": latency(figures),
        "statusCodes": {str(code): count for code, count in figures.statuses.items()},
        "errors": errors(figures, samples),
        "results": results(samples, slow_ms=outline.slow_ms),
        "sampling": sampling(samples) | {"refused": figures[Cell.RING_REFUSED]},
        "workers": figures.workers,
        "lostWorkers": figures.lost_workers,
        "lostParts": figures.lost_parts,
        "warnings": _losses(figures) + samples.warnings,
    }
    if outline.mode == Mode.CONSTANT_RPS:
        actual = made["summary"]["throughput"]
        achievement = ratio(100 * actual, outline.rate)
        made["rateControl"] = {"targetRps": outline.rate, "actualRps": actual, "achievement": achievement}
    if responses:
        made["timingBreakdown"] = _timing(outline, figures)
        if final:
            made["histogram"] = encoded(figures.latency())
        if outline.slow_ms:
            slow = figures[Cell.SLOW]
            percentage = ratio(100 * slow, completed)
            made["slowRequests"] = {"count": slow, "thresholdMs": outline.slow_ms, "percentage": percentage}
    return made


def _summary(outline: Outline, figures: Figures, accepted_at: float | None) -> dict[str, Any]:
    completed, responses, succeeded = figures.completed, figures[Cell.RESPONSES], figures.succeeded
    lasted_s = figures.lasted_ns / 1e9 if completed else 0.0
    begun = accepted_at is not None and figures.started_at
    return {
        "totalRequests": completed,
        "successfulRequests": succeeded,
        "failedRequests": completed - succeeded,
        "errorRate": ratio(100 * (completed - succeeded), completed),
        "testDuration": lasted_s,
        "totalDurationSeconds": lasted_s,
        "avgRps": ratio(completed, lasted_s),
        "sendRate": ratio(figures[Cell.SENT], lasted_s),
        "throughput": ratio(responses, lasted_s),
        "setupOverhead": max(0.0, figures.started_at - accepted_at) if begun else 0.0,
        "peakConcurrency": figures[Cell.PEAK],
        "requestsSent": figures[Cell.SENT],
        "requestsExpected": outline.expected,
        "droppedRequests": figures[Cell.DROPPED],
        "unfinishedRequests": max(0, figures[Cell.SENT] - completed),  # of load processes that died
        "retriedRequests": figures[Cell.RETRIED],
        "redirectsFollowed": figures[Cell.REDIRECTED],
        "connectionsOpened": figures[Cell.CONNECTED],
        "avgQueueWaitMs": ms(ratio(figures[Cell.QUEUE_US], responses)),
        "bytesSent": figures[Cell.BYTES_SENT],
        "bytesReceived": figures[Cell.BYTES_RECEIVED],
        "throughputBytesPerSec": ratio(figures[Cell.BYTES_RECEIVED], lasted_s),
        "generatorCpuSeconds": figures[Cell.CPU_US] / 1e6,
        "generatorPeakMemoryBytes": 1024 * figures.peak_rss_kb,  # of the largest process
    }


def latency(figures: Figures) -> dict[str, float]:
    """contract: load testing §14.3. Milliseconds; all 0 without a response."""
    histogram = figures.latency()
    names = {"p50": 50, "p75": 75, "p90": 90, "p95": 95, "p99": 99, "p999": 99.9}
    values = dict(zip(names, map(ms, percentiles(histogram, list(names.values()))), strict=True))
    low, high = extremes(histogram)
    average = ms(ratio(figures[Cell.TOTAL_US], figures[Cell.RESPONSES]))
    return {"min": ms(low), "max": ms(high), "avg": average, "median": values["p50"], **values}


def _timing(outline: Outline, figures: Figures) -> dict[str, Any]:
    responses = figures[Cell.RESPONSES]
    parts = {
        "avgDnsMs": outline.dns_us,  # one look-up for the whole run
        "avgConnectMs": figures[Cell.CONNECT_US],
        "avgTlsMs": figures[Cell.TLS_US],
        "avgDownloadMs": figures[Cell.DOWNLOAD_US],
    }
    # The parts of each request add up to its latency, so the first byte is what the others leave. The look-up came
    # before the first request.
    other = figures[Cell.QUEUE_US] + sum(parts.values()) - outline.dns_us
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


def _losses(figures: Figures) -> list[str]:
    told = []
    if figures.lost_workers:
        told.append(f"{figures.lost_workers} of {figures.workers} load processes died: their part is incomplete")
    if figures.lost_parts:
        told.append(f"{figures.lost_parts} parts of the run were lost: what they sent last is counted")
    if figures[Cell.RING_REFUSED]:
        told.append(f"{figures[Cell.RING_REFUSED]} sampled exchanges came too fast to be kept; all are counted")
    return told
