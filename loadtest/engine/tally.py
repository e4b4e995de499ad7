"""What a loop counts, and which exchanges it keeps."""

import time
from typing import NamedTuple

from loadtest.engine.capture import Ring
from loadtest.engine.plan import Mode, RunSpec
from loadtest.engine.stats import FAULT_CELL, Cell, Fault, Page, bucket


class Timing(NamedTuple):
    """The moments of one request, ns on a monotonic clock. contract: load testing §9.3."""

    intended: int  # when it was due
    started: int  # first wire activity
    ready: int  # when it could be sent
    first: int  # first byte of the response
    ended: int  # last byte
    connect_us: int | None  # None on a connection that was used before
    tls_us: int | None

    @property
    def total_us(self) -> int:
        return (self.ended - self.intended) // 1000

    def parts(self) -> dict[str, int]:
        return {
            "totalUs": self.total_us,
            "wireUs": (self.ended - self.started) // 1000,
            "queueWaitUs": (self.started - self.intended) // 1000,
            "connectUs": self.connect_us or 0,
            "tlsUs": self.tls_us or 0,
            "firstByteUs": (self.first - self.ready) // 1000,
            "downloadUs": (self.ended - self.first) // 1000,
        }


class Tally:
    """Counts of one loop. They are plain numbers here, and are written into the page by `publish`."""

    def __init__(self, spec: RunSpec, page: Page) -> None:
        self.spec, self.page, self.ring = spec, page, Ring(page)
        self.statuses, self.fast = page.statuses, page.histograms["fast"]
        # The last response that came whole in one read: most servers send the same bytes again and again. Never an
        # error: each of those is looked at for a sample. Never a full buffer: what follows has to be read too.
        self.last, self.last_status = b"\0", 0
        self._cpu_before_ns = time.process_time_ns()
        self.usual_bytes = len(spec.requests[0])
        self.open_loop = spec.mode == Mode.CONSTANT_RPS
        self.sent = self.responses = self.errors = self.dropped = self.retried = self.slow = 0
        self.in_flight = self.peak = self.open = self.connected = 0
        self.bytes_sent = self.bytes_received = 0
        self.total_ns = self.queue_ns = self.connect_sum_us = self.tls_sum_us = self.download_ns = 0
        self.ended_ns = self.overslept_ns = 0

        self.slow_us = spec.sampling.slow_ms * 1000 or 1 << 62
        self.until_sample = spec.sampling.every or -1  # responses until the next regular sample
        self._room = spec.sampling.per_tick
        self.statuses_seen: set[int] = set()

    def record_parts(self, timing: Timing) -> None:
        """Count the parts of a response that has more than one, and its total."""
        histograms = self.page.histograms
        histograms["total"][bucket(timing.total_us)] += 1
        histograms["first_byte"][bucket((timing.first - timing.ready) // 1000)] += 1
        if self.open_loop:
            self.queue_ns += timing.started - timing.intended
            histograms["queue"][bucket((timing.started - timing.intended) // 1000)] += 1
        if timing.connect_us is not None:
            self.connect_sum_us += timing.connect_us
            histograms["connect"][bucket(timing.connect_us)] += 1
        if timing.tls_us is not None:
            self.tls_sum_us += timing.tls_us
            histograms["tls"][bucket(timing.tls_us)] += 1
        if timing.first != timing.ended:
            self.download_ns += timing.ended - timing.first
            histograms["download"][bucket((timing.ended - timing.first) // 1000)] += 1

    def count_same(self, count: int, total_ns: int, size: int, now: int) -> None:
        """The hot path had `count` responses like the last one, `size` bytes, and sent as many requests after them."""
        self.responses += count
        self.sent += count
        self.total_ns += total_ns
        self.statuses[self.last_status] += count
        self.bytes_received += size
        self.bytes_sent += count * self.usual_bytes
        self.until_sample -= count
        self.ended_ns = now

    def look_at(self, status: int, timing: Timing, data: bytes) -> None:
        """Count a slow response; keep the exchange if it is an error, slow, its status' first, or its turn."""
        kinds = []
        if status >= 400:
            kinds.append("error")
        if timing.total_us >= self.slow_us:
            self.slow += 1
            kinds.append("slow")
        if kinds:
            self._room -= 1
            kinds = kinds if self._room >= 0 else []
        if not self.until_sample or status not in self.statuses_seen:
            self.statuses_seen.add(status)
            kinds.append("sample")
        if not self.until_sample:
            self.until_sample = self.spec.sampling.every
        if kinds:
            self.ring.put({"kinds": kinds, "at": _wall_ms(), "status": status, **timing.parts()}, data)

    def count_fault(self, fault: Fault, message: str, elapsed_ns: int) -> None:
        """A request got no response."""
        self.in_flight -= 1
        self.errors += 1
        self.ended_ns = time.perf_counter_ns()
        self.statuses[0] += 1
        self.page.faults[FAULT_CELL[fault]] += 1
        self._room -= 1
        if self._room >= 0:
            facts = {"kinds": ["error"], "at": _wall_ms(), "status": 0, "totalUs": elapsed_ns // 1000}
            self.ring.put({**facts, "fault": fault, "message": message})

    def make_room(self) -> None:
        """Allow as many errors and slow responses to be kept as fit a tick."""
        self._room = self.spec.sampling.per_tick

    def publish(self, now: int) -> None:
        """Write the counters into the page, for all to read."""
        cells = self.page.counters
        cells[Cell.SENT], cells[Cell.RESPONSES], cells[Cell.ERRORS] = self.sent, self.responses, self.errors
        cells[Cell.DROPPED], cells[Cell.RETRIED], cells[Cell.SLOW] = self.dropped, self.retried, self.slow
        cells[Cell.IN_FLIGHT], cells[Cell.PEAK] = self.in_flight, self.peak
        cells[Cell.CONNECTIONS], cells[Cell.CONNECTED] = self.open, self.connected
        cells[Cell.BYTES_SENT], cells[Cell.BYTES_RECEIVED] = self.bytes_sent, self.bytes_received
        cells[Cell.TOTAL_US], cells[Cell.QUEUE_US] = self.total_ns // 1000, self.queue_ns // 1000
        cells[Cell.CONNECT_US], cells[Cell.TLS_US] = self.connect_sum_us, self.tls_sum_us
        cells[Cell.DOWNLOAD_US] = self.download_ns // 1000
        cells[Cell.ENDED_NS], cells[Cell.OVERSLEPT_US] = self.ended_ns, self.overslept_ns // 1000
        cells[Cell.CPU_US] = (time.process_time_ns() - self._cpu_before_ns) // 1000
        cells[Cell.PUBLISHED_NS] = now


def _wall_ms() -> int:
    return time.time_ns() // 1_000_000
