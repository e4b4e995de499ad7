"""The page of figures: one writer (a loop), any number of readers (the supervisor), no locks, no copies on the way.

A page is shared memory: 64-bit counters, a cell for each status, one for each kind of error, and histograms. Below
it lies the ring of captured exchanges (see capture.py). Sums are microseconds unless the name says otherwise.
"""

import mmap
import os
from bisect import bisect_left
from collections.abc import Iterable, Sequence
from enum import IntEnum, StrEnum
from itertools import accumulate


class Cell(IntEnum):
    """Counters, by their place in the page. The supervisor writes STOP and RING_READ; all others are the loop's."""

    STATE = 0  # one of State
    STOP = 1
    PUBLISHED_NS = 2  # monotonic time at which the counters below were written
    STARTED_NS = 3  # monotonic time of the first issue
    ENDED_NS = 4  # monotonic time of the last completion
    SENT = 5
    RESPONSES = 6
    ERRORS = 7  # transport errors: no HTTP response
    DROPPED = 8
    RETRIED = 9
    IN_FLIGHT = 10
    PEAK = 11
    CONNECTIONS = 12  # open now
    CONNECTED = 13  # opened since the start
    BYTES_SENT = 14
    BYTES_RECEIVED = 15
    TOTAL_US = 16
    QUEUE_US = 17
    CONNECT_US = 18
    TLS_US = 19
    DOWNLOAD_US = 20
    SLOW = 21
    CPU_US = 22  # of the loop, without the start of its process
    RING_WRITTEN = 23
    RING_READ = 24
    RING_REFUSED = 25  # exchanges that found the ring full
    OVERSLEPT_US = 26  # longest time by which the open loop woke too late
    PEAK_RSS_KB = 27  # of the process, written at its end


class State(IntEnum):
    STARTING, READY, RUNNING, FINISHED = range(4)


class Fault(StrEnum):
    """Why a request got no response. The order is the order of the cells."""

    TIMEOUT = "timeout"
    CONNECT = "connect"
    DNS = "dns"
    TLS = "tls"
    RESET = "reset"
    PROTOCOL = "protocol"
    TRUNCATED = "truncated"
    TOO_LARGE = "too_large"
    LOCAL = "local"
    CANCELLED = "cancelled"


FAULTS = list(Fault)
FAULT_CELL = {fault: index for index, fault in enumerate(FAULTS)}

# contract: load testing §14.5
REPORTED_AS = {
    Fault.TIMEOUT: "timeout",
    Fault.CONNECT: "connection_failed",
    Fault.DNS: "dns_failed",
    Fault.TLS: "ssl_error",
    Fault.RESET: "connection_failed",
    Fault.PROTOCOL: "internal_error",
    Fault.TRUNCATED: "internal_error",
    Fault.TOO_LARGE: "internal_error",
    Fault.LOCAL: "internal_error",
    Fault.CANCELLED: "cancelled",
}

# A response in one read on a kept connection, closed loop, is counted in FAST alone: its total is its first byte.
# All others are in TOTAL, FIRST_BYTE and the parts they have.
HISTOGRAMS = ("fast", "total", "queue", "connect", "tls", "first_byte", "download")
BUCKETS = 32_768
COUNTERS = 64
STATUSES = 1_000
FAULT_CELLS = 24
_HISTOGRAMS_AT = COUNTERS + STATUSES + FAULT_CELLS
PAGE_CELLS = _HISTOGRAMS_AT + len(HISTOGRAMS) * BUCKETS
RING_BYTES = 1 << 20
PAGE_BYTES = 8 * PAGE_CELLS + RING_BYTES


class Page:
    """One loop's figures in shared memory. `fd` can be handed to a child process."""

    def __init__(self, fd: int) -> None:
        self.fd = fd
        self._map = mmap.mmap(fd, PAGE_BYTES)
        whole = memoryview(self._map)
        cells = whole[: 8 * PAGE_CELLS].cast("Q")
        self.counters = cells[:COUNTERS]
        self.statuses = cells[COUNTERS : COUNTERS + STATUSES]
        self.faults = cells[COUNTERS + STATUSES : _HISTOGRAMS_AT]
        self.histograms = {
            name: cells[_HISTOGRAMS_AT + i * BUCKETS : _HISTOGRAMS_AT + (i + 1) * BUCKETS]
            for i, name in enumerate(HISTOGRAMS)
        }
        self.ring = whole[8 * PAGE_CELLS :]

    @classmethod
    def create(cls) -> "Page":
        fd = os.memfd_create("pharos-load")
        os.ftruncate(fd, PAGE_BYTES)
        return cls(fd)

    def close(self) -> None:
        """Give the descriptor back. The memory goes with the last view of it."""
        os.close(self.fd)


def bucket(us: int) -> int:
    """The place of a time in a histogram: exact up to 2,047 µs, then 1,024 steps for each power of two.

    This keeps three significant digits up to 25 days. The hot loop holds a copy of these lines: a call costs more
    than they do.
    """
    if us > 2047:
        shift = us.bit_length() - 11
        us = (shift << 10) + (us >> shift)
        if us >= BUCKETS:
            return BUCKETS - 1
    return us


def lowest_us(index: int) -> int:
    """The smallest time that falls into this bucket."""
    return index if index < 2048 else ((index & 1023) + 1024) << ((index >> 10) - 1)


def highest_us(index: int) -> int:
    """The largest time that falls into this bucket: what HdrHistogram reports as a percentile."""
    return lowest_us(index + 1) - 1


def add(histograms: Iterable[memoryview]) -> list[int]:
    """The sum of histograms, as long as the part in use."""
    total: list[int] = []
    for histogram in histograms:
        used = _used(histogram)
        short, long = sorted((total, used), key=len)
        total = [a + b for a, b in zip(short, long, strict=False)] + long[len(short) :]
    return total


def _used(histogram: memoryview) -> list[int]:
    """The cells of a histogram without the empty end: ticks look at it ten times a second, and most are short."""
    raw = bytes(histogram)
    cut = next((cells for cells in range(2048, BUCKETS, 1024) if raw.endswith(bytes(8 * (BUCKETS - cells)))), BUCKETS)
    return histogram[:cut].tolist()


def percentiles(histogram: Sequence[int], shares: Sequence[float]) -> list[int]:
    """Times in µs below or at which that share (0 to 100) of the values lies. All 0 for an empty histogram.

    contract: load testing §14.3. Times under 1 µs count as 1 µs.
    """
    running = list(accumulate(histogram))
    if not running or not running[-1]:
        return [0] * len(shares)
    ranks = (max(1, int(share / 100 * running[-1] + 0.5)) for share in shares)
    return [max(1, highest_us(bisect_left(running, rank))) for rank in ranks]


def extremes(histogram: Sequence[int]) -> tuple[int, int]:
    """The smallest and the largest time in µs, (0, 0) for an empty histogram."""
    used = [index for index, count in enumerate(histogram) if count]
    return (max(1, lowest_us(used[0])), max(1, highest_us(used[-1]))) if used else (0, 0)


class Figures:
    """The added-up figures of all pages of a run, at one moment."""

    def __init__(self, pages: Sequence[Page]) -> None:
        rows = [page.counters.tolist() for page in pages]
        self.counters = [sum(column) for column in zip(*rows, strict=True)]
        started = [row[Cell.STARTED_NS] for row in rows if row[Cell.STARTED_NS]]
        self.started_ns = min(started, default=0)
        self.ended_ns = max(row[Cell.ENDED_NS] for row in rows)
        self.peak_rss_kb = max(row[Cell.PEAK_RSS_KB] for row in rows)
        self.published_ns = max(row[Cell.PUBLISHED_NS] for row in rows)
        statuses = zip(*(page.statuses.tolist() for page in pages), strict=True)
        self.statuses = {code: n for code, counts in enumerate(statuses) if (n := sum(counts))}
        self.faults = {f: n for i, f in enumerate(FAULTS) if (n := sum(page.faults[i] for page in pages))}
        self._pages = pages

    def __getitem__(self, cell: Cell) -> int:
        return self.counters[cell]

    def latency(self) -> list[int]:
        """Histogram of the time from intended send to last byte."""
        return add(page.histograms[name] for page in self._pages for name in ("fast", "total"))

    def first_byte(self) -> list[int]:
        return add(page.histograms[name] for page in self._pages for name in ("fast", "first_byte"))

    def part(self, name: str) -> list[int]:
        """Histogram of `queue`, `connect`, `tls` or `download`, of the requests that had that part."""
        return add(page.histograms[name] for page in self._pages)

    @property
    def completed(self) -> int:
        return self[Cell.RESPONSES] + self[Cell.ERRORS]

    @property
    def succeeded(self) -> int:
        """contract: load testing §10.7."""
        return sum(n for code, n in self.statuses.items() if 200 <= code < 400)
