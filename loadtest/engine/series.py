"""The live series of a run: one tick after the other. contract: load testing §11.3."""

import time
from typing import Any

from loadtest.engine.figures import Figures
from loadtest.engine.histogram import percentiles
from loadtest.engine.plan import Outline
from loadtest.engine.stats import Cell

WINDOW_S = 0.1  # the shortest time over which a rate is told
JITTER_S = 0.015  # loops publish every 10 ms


def ratio(part: float, whole: float) -> float:
    return part / whole if whole else 0.0


def ms(us: float) -> float:
    return us / 1000


class Series:
    """Makes ticks from figures, each since the one before. Figures may be merged from any number of parts."""

    def __init__(self, outline: Outline) -> None:
        self.outline = outline
        self._since_s = 0.0
        self._before = 0
        self._rps = 0.0

    def tick(self, figures: Figures, *, now: float | None = None) -> dict[str, Any]:
        """One point, without the run's id. `now` in Unix seconds."""
        elapsed_s = figures.elapsed_ns / 1e9
        p50, p95, p99 = percentiles(figures.latency(), (50, 95, 99))
        codes = figures.statuses.items()
        completed, failed = figures.completed, figures.completed - figures.succeeded
        responses = figures[Cell.RESPONSES]
        return {
            "timestamp": int(1000 * (time.time() if now is None else now)),
            "elapsedSeconds": elapsed_s,
            "totalRequests": completed,
            "totalSuccess": figures.succeeded,
            "totalErrors": failed,
            "errorRate": ratio(100 * failed, completed),
            "currentRps": self._current_rps(elapsed_s, completed),
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
            "requestsExpected": self.outline.expected,
            **{f"status{n}xx": sum(count for code, count in codes if code // 100 == n) for n in range(2, 6)},
            "statusCodes": {str(code): count for code, count in codes},
        }

    def _current_rps(self, elapsed_s: float, completed: int) -> float:
        """Completions in the last 100 ms or more; ticks that follow sooner repeat it, a shorter run tells its own."""
        window_s = elapsed_s - self._since_s
        if window_s >= WINDOW_S - JITTER_S:
            self._rps = (completed - self._before) / window_s
            self._since_s, self._before = elapsed_s, completed
        elif not self._since_s:
            return ratio(completed, elapsed_s)
        return self._rps
