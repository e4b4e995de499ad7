"""The figures of a run, or of a part of it, at one moment: added up from pages, from dumps, or from other figures."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from typing import Any, TypeVar

from loadtest.engine.histogram import add, dense, sparse, used
from loadtest.engine.stats import FAULTS, HISTOGRAMS, Cell, Fault, Page

K = TypeVar("K")
LATENCY = ("fast", "total")
_COUNTED = [
    Cell.SENT, Cell.RESPONSES, Cell.ERRORS, Cell.DROPPED, Cell.RETRIED, Cell.REDIRECTED, Cell.IN_FLIGHT, Cell.PEAK,
    Cell.CONNECTIONS, Cell.CONNECTED, Cell.BYTES_SENT, Cell.BYTES_RECEIVED, Cell.TOTAL_US, Cell.QUEUE_US,
    Cell.CONNECT_US, Cell.TLS_US, Cell.DOWNLOAD_US, Cell.SLOW, Cell.CPU_US, Cell.RING_REFUSED,
]  # fmt: skip


@dataclass
class Figures:
    """Sums over load processes. Times of the run are nanoseconds since its start, so parts from other machines fit.

    Counters are sums; PEAK too, so it is the highest that the peaks of the parts allow.
    """

    counters: dict[Cell, int] = field(default_factory=dict)
    statuses: dict[int, int] = field(default_factory=dict)
    faults: dict[Fault, int] = field(default_factory=dict)
    histograms: dict[str, list[int]] = field(default_factory=dict)
    started_at: float = 0.0  # Unix seconds of the first issue, 0 if there was none yet
    elapsed_ns: int = 0  # how far the run has come
    lasted_ns: int = 0  # when the last request ended
    overslept_us: int = 0  # the longest time by which the open loop woke too late
    peak_rss_kb: int = 0  # of the largest process
    workers: int = 0
    lost_workers: int = 0  # that ended before their part was done
    lost_parts: int = 0  # parts of a run spread over several supervisors that sent no final figures

    def __getitem__(self, cell: Cell) -> int:
        return self.counters.get(cell, 0)

    @classmethod
    def of(
        cls, pages: Sequence[Page], *, start_ns: int = 0, started_at: float = 0.0, parts: Iterable[str] = HISTOGRAMS
    ) -> "Figures":
        """What the pages hold now. `parts` are the histograms that are read: ticks need those of the latency only."""
        rows, statuses, faults = zip(*(page.read() for page in pages), strict=True)
        return cls(
            counters={cell: sum(row[cell] for row in rows) for cell in _COUNTED},
            statuses={code: n for code, n in enumerate(map(sum, zip(*statuses, strict=True))) if n},
            faults={fault: n for i, fault in enumerate(FAULTS) if (n := sum(row[i] for row in faults))},
            histograms={name: add(used(page.histograms[name]) for page in pages) for name in parts},
            started_at=started_at,
            elapsed_ns=max(0, *(row[Cell.PUBLISHED_NS] - start_ns for row in rows)),
            lasted_ns=max(0, *(row[Cell.ENDED_NS] - start_ns for row in rows)),
            overslept_us=max(row[Cell.OVERSLEPT_US] for row in rows),
            peak_rss_kb=max(row[Cell.PEAK_RSS_KB] for row in rows),
            workers=len(pages),
        )

    @classmethod
    def merge(cls, parts: Sequence["Figures"]) -> "Figures":
        """The figures of all parts together. contract: load testing §14.3: histograms are added, never averaged."""
        names = dict.fromkeys(name for part in parts for name in part.histograms)
        begun = [part.started_at for part in parts if part.started_at]
        return cls(
            counters=_sums(part.counters for part in parts),
            statuses=dict(sorted(_sums(part.statuses for part in parts).items())),
            faults=_sums(part.faults for part in parts),
            histograms={name: add(part.histograms.get(name, ()) for part in parts) for name in names},
            started_at=min(begun, default=0.0),
            elapsed_ns=max((part.elapsed_ns for part in parts), default=0),
            lasted_ns=max((part.lasted_ns for part in parts), default=0),
            overslept_us=max((part.overslept_us for part in parts), default=0),
            peak_rss_kb=max((part.peak_rss_kb for part in parts), default=0),
            workers=sum(part.workers for part in parts),
            lost_workers=sum(part.lost_workers for part in parts),
            lost_parts=sum(part.lost_parts for part in parts),
        )

    def dump(self) -> dict[str, Any]:
        """The same as plain data for JSON: a few kilobytes, whatever was measured."""
        plain = {name: getattr(self, name) for name in _PLAIN}
        return plain | {
            "counters": {cell.name.lower(): n for cell, n in self.counters.items()},
            "statuses": {str(code): n for code, n in self.statuses.items()},
            "faults": {fault.value: n for fault, n in self.faults.items()},
            "histograms": {name: sparse(cells) for name, cells in self.histograms.items()},
        }

    @classmethod
    def load(cls, dumped: dict[str, Any]) -> "Figures":
        """The figures that `dump` wrote."""
        return cls(
            counters={Cell[name.upper()]: n for name, n in dumped["counters"].items()},
            statuses={int(code): n for code, n in dumped["statuses"].items()},
            faults={Fault(fault): n for fault, n in dumped["faults"].items()},
            histograms={name: dense(pairs) for name, pairs in dumped["histograms"].items()},
            **{name: dumped[name] for name in _PLAIN},
        )

    def latency(self) -> list[int]:
        """Histogram of the time from intended send to last byte."""
        return add(self.histograms.get(name, ()) for name in LATENCY)

    def first_byte(self) -> list[int]:
        return add(self.histograms.get(name, ()) for name in ("fast", "first_byte"))

    def part(self, name: str) -> list[int]:
        """Histogram of `queue`, `connect`, `tls` or `download`, of the requests that had that part."""
        return self.histograms.get(name, [])

    @property
    def completed(self) -> int:
        return self[Cell.RESPONSES] + self[Cell.ERRORS]

    @property
    def succeeded(self) -> int:
        """contract: load testing §10.7."""
        return sum(n for code, n in self.statuses.items() if 200 <= code < 400)


_PLAIN = (
    "started_at", "elapsed_ns", "lasted_ns", "overslept_us", "peak_rss_kb", "workers", "lost_workers", "lost_parts",
)  # fmt: skip


def _sums(rows: Iterable[dict[K, int]]) -> dict[K, int]:
    total: dict[K, int] = {}
    for row in rows:
        for key, count in row.items():
            total[key] = total.get(key, 0) + count
    return total
