"""The page of figures: one writer (a loop), any number of readers (the supervisor), no locks.

A page is shared memory: 64-bit counters, a cell for each status, one for each kind of error, and histograms. Below
it lies the ring of captured exchanges (see capture.py). Sums are microseconds unless the name says otherwise.
"""

import mmap
import os
import time
from enum import IntEnum, StrEnum

from loadtest.engine.histogram import BUCKETS


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
    REDIRECTED = 28  # redirects that were followed
    EDITION = 29  # how often writing of the figures began or ended: odd while it goes on


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
COUNTERS = 64
STATUSES = 1_000
FAULT_CELLS = 24
_HISTOGRAMS_AT = COUNTERS + STATUSES + FAULT_CELLS
PAGE_CELLS = _HISTOGRAMS_AT + len(HISTOGRAMS) * BUCKETS
RING_BYTES = 1 << 20
PAGE_BYTES = 8 * PAGE_CELLS + RING_BYTES
LOOKS, BETWEEN_LOOKS_S = 100, 0.0001


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

    def read(self) -> tuple[list[int], list[int], list[int]]:
        """Counters, statuses and faults of one moment: they add up.

        A loop that died while it wrote never ends that; after 10 ms its figures are taken as they are.
        """
        for _ in range(LOOKS):
            edition = self.counters[Cell.EDITION]
            found = self.counters.tolist(), self.statuses.tolist(), self.faults.tolist()
            if edition % 2 == 0 and self.counters[Cell.EDITION] == edition:
                break
            time.sleep(BETWEEN_LOOKS_S)
        return found

    def close(self) -> None:
        """Give the descriptor back. The memory goes with the last view of it."""
        os.close(self.fd)
