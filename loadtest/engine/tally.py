"""What a loop counts, and which exchanges it keeps."""

import time
from array import array
from typing import Any, NamedTuple

from loadtest.engine.capture import MAX_WARNINGS, MOST, NEVER, Ring, Turn
from loadtest.engine.histogram import bucket
from loadtest.engine.plan import Mode, Share
from loadtest.engine.stats import FAULT_CELL, FAULT_CELLS, STATUSES, Cell, Fault, Page


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

    def __init__(self, share: Share, page: Page) -> None:
        spec, sampling = share.spec, share.spec.sampling
        self.share, self.spec, self.page, self.ring = share, spec, page, Ring(page)
        self.fast = page.histograms["fast"]
        self.statuses, self.faults = array("Q", [0] * STATUSES), array("Q", [0] * FAULT_CELLS)
        # The last response that came whole in one read: most servers send the same bytes again and again. Never an
        # error: each of those is looked at for a sample. Never a full buffer: what follows has to be read too.
        self.last, self.last_status = b"\0", 0
        self.cpu_before_ns = time.process_time_ns()  # set again when the run begins
        first = spec.requests[0]
        self.usual = first if isinstance(first, bytes) else b""  # what count_same takes for sent
        self.open_loop = spec.mode == Mode.CONSTANT_RPS
        self.sent = self.responses = self.errors = self.dropped = self.retried = self.slow = self.redirected = 0
        self.in_flight = self.peak = self.open = self.connected = 0
        self.bytes_sent = self.bytes_received = 0
        self.total_ns = self.queue_ns = self.connect_sum_us = self.tls_sum_us = self.download_ns = 0
        self.ended_ns = self.overslept_ns = 0
        self.failed = 0  # responses of status 400 and above
        self._warned: set[str] = set()

        self.slow_us = sampling.slow_ms * 1000 or NEVER
        # Processes take their first sample at different ordinals, so one in so many holds for the whole run.
        every, tested = sampling.every, sampling.responses_every * bool(sampling.max_responses)
        self._sampled = Turn(every, MOST["sample"], ahead=share.index * every // share.of)
        self.captured = Turn(tested, max(sampling.max_responses, 1), ahead=share.index * tested // share.of)
        self._errors, self._slow = Turn(1, MOST["error"]), Turn(1, MOST["slow"])
        self.next_look = min(self._sampled.next, self.captured.next)  # the response that is looked at anyway

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
        self.bytes_sent += count * len(self.usual)
        self.ended_ns = now

    def look_at(self, status: int, timing: Timing, data: bytes, size: int, captured: int | None = None) -> None:
        """Count a slow response; keep the exchange if it is an error, slow, or its turn.

        `data` are the first bytes of a response of `size` bytes. Whether one that came in several pieces is kept for
        tests was decided at its first: `captured` is its weight then.
        """
        kinds = {"response": self.captured.take(self.responses) if captured is None else captured}
        if status >= 400:
            self.failed += 1
            kinds["error"] = self._errors.take(self.failed + self.errors)
        else:
            kinds["sample"] = self._sampled.take(self.responses)
        if timing.total_us >= self.slow_us:
            self.slow += 1
            kinds["slow"] = self._slow.take(self.slow)
        self.next_look = min(self._sampled.next, self.captured.next)
        self._keep(kinds, {"status": status, **timing.parts(), "size": size}, data)

    def _keep(self, kinds: dict[str, int], facts: dict[str, Any], data: bytes = b"") -> None:
        kinds = {kind: weight for kind, weight in kinds.items() if weight}
        if kinds:
            number = (self.responses + self.errors - 1) * self.share.of + self.share.index + 1
            facts = {"kinds": kinds, "at": time.time_ns() // 1_000_000, "number": number, **facts}
            self.ring.put(facts, data if "response" in kinds else b"")

    def count_fault(self, fault: Fault, message: str, parts: dict[str, int]) -> None:
        """A request got no response. `parts` are the times it took until then, as in Timing.parts."""
        self.in_flight -= 1
        self.errors += 1
        self.ended_ns = time.perf_counter_ns()
        self.statuses[0] += 1
        self.faults[FAULT_CELL[fault]] += 1
        weight = self._errors.take(self.failed + self.errors)
        self._keep({"error": weight}, {"status": 0, "fault": fault, "message": message, **parts})

    def warn(self, message: str) -> None:
        """Tell the supervisor something that belongs into the report, once."""
        if message not in self._warned and len(self._warned) < MAX_WARNINGS:
            self._warned.add(message)
            self.ring.put({"kinds": {"warning": 1}, "message": message})

    def publish(self, now: int) -> None:
        """Write all but the histograms, which are in the page anyway, for all to read as one: see Page.read."""
        cells = self.page.counters
        cells[Cell.EDITION] += 1
        self.page.statuses[:], self.page.faults[:] = self.statuses, self.faults
        cells[Cell.SENT], cells[Cell.RESPONSES], cells[Cell.ERRORS] = self.sent, self.responses, self.errors
        cells[Cell.DROPPED], cells[Cell.RETRIED], cells[Cell.SLOW] = self.dropped, self.retried, self.slow
        cells[Cell.REDIRECTED] = self.redirected
        cells[Cell.IN_FLIGHT], cells[Cell.PEAK] = self.in_flight, self.peak
        cells[Cell.CONNECTIONS], cells[Cell.CONNECTED] = self.open, self.connected
        cells[Cell.BYTES_SENT], cells[Cell.BYTES_RECEIVED] = self.bytes_sent, self.bytes_received
        cells[Cell.TOTAL_US], cells[Cell.QUEUE_US] = self.total_ns // 1000, self.queue_ns // 1000
        cells[Cell.CONNECT_US], cells[Cell.TLS_US] = self.connect_sum_us, self.tls_sum_us
        cells[Cell.DOWNLOAD_US] = self.download_ns // 1000
        cells[Cell.ENDED_NS], cells[Cell.OVERSLEPT_US] = self.ended_ns, self.overslept_ns // 1000
        cells[Cell.CPU_US] = (time.process_time_ns() - self.cpu_before_ns) // 1000
        cells[Cell.PUBLISHED_NS] = now
        cells[Cell.EDITION] += 1
