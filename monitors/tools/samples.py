"""Request times of one run, and what is computed from them (contract: monitors §5.3)."""

from array import array
from math import floor
from typing import Any

from hdrh.histogram import HdrHistogram

from monitors.runs.judge import apdex

MOST_KEPT = 2_000_000
HIGHEST_US = 3_600_000_000  # an hour in microseconds; slower ones count as that


class Samples:
    """Milliseconds of every request, exact up to two million, then in a histogram with three digits.

    `t_ms` is the T of Apdex: satisfied up to T, tolerating up to 4T, failed requests neither.
    """

    def __init__(self, t_ms: float) -> None:
        self.t_ms = t_ms
        self.count = self.failed = self.satisfied = self.tolerating = 0
        self._sum = 0.0
        self._low, self._high = float("inf"), 0.0
        self._values = array("d")
        self._histogram: HdrHistogram | None = None

    def add(self, ms: float, ok: bool) -> None:
        self.count += 1
        self._sum += ms
        self._low, self._high = min(self._low, ms), max(self._high, ms)
        if not ok:
            self.failed += 1
        elif ms <= self.t_ms:
            self.satisfied += 1
        elif ms <= 4 * self.t_ms:
            self.tolerating += 1
        if self._histogram is None:
            self._values.append(ms)
            if len(self._values) > MOST_KEPT:
                self._fold()
        else:
            self._record(ms)

    def _fold(self) -> None:
        self._histogram = HdrHistogram(1, HIGHEST_US, 3)
        for ms in self._values:
            self._record(ms)
        self._values = array("d")

    def _record(self, ms: float) -> None:
        assert self._histogram is not None  # noqa: S101 - for the type checker
        self._histogram.record_value(min(max(1, round(ms * 1000)), HIGHEST_US))

    def quantiles(self, *shares: float) -> list[float]:
        """Linear interpolation at `q*(n-1)` over all requests."""
        if self._histogram is not None:
            return [self._histogram.get_value_at_percentile(share * 100) / 1000 for share in shares]
        return [interpolated(ordered, share) for ordered in [sorted(self._values)] for share in shares]

    @property
    def apdex(self) -> float | None:
        return apdex(satisfied=self.satisfied, tolerating=self.tolerating, total=self.count)

    def metrics(self, elapsed_s: float) -> dict[str, Any]:
        """All figures of the contract, not rounded. Needs at least one sample."""
        p50, p95, p99 = self.quantiles(0.5, 0.95, 0.99)
        return {
            "p50": p50,
            "p95": p95,
            "p99": p99,
            "avg": self._sum / self.count,
            "min": self._low,
            "max": self._high,
            "errorRate": self.failed / self.count,
            "throughput": self.count / elapsed_s if elapsed_s > 0 else 0.0,
            "samples": self.count,
            "failed": self.failed,
            "apdex": self.apdex,
        }


def interpolated(ordered: list[float], share: float) -> float:
    """The value at `share*(n-1)` of at least one ordered value, linear between two of them."""
    place = share * (len(ordered) - 1)
    below = floor(place)
    above = min(below + 1, len(ordered) - 1)
    return ordered[below] + (ordered[above] - ordered[below]) * (place - below)
