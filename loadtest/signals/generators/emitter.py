"""From ticks to encoded events: generator, labels and encoder of one entry together, a span at a time."""

from collections.abc import Mapping, Sequence

import msgspec

from loadtest.signals.scenario.entry import Entry
from loadtest.signals.schedule.pacing import Span


class Sample(msgspec.Struct, frozen=True):
    """One value of one series; histograms and summaries give several a tick."""

    name: str
    labels: Mapping[str, str]
    value: float
    timestamp_ns: int


class Record(msgspec.Struct, frozen=True):
    """One log event."""

    timestamp_ns: int
    severity: str
    message: str
    labels: Mapping[str, str]
    fields: Mapping[str, str]


class Batch:
    """What one span became. An event is what one tick made, all of its lines.

    `payload` is all of it, encoded and ended as a sink sends it; `len(payload)` counts into `bytes_emitted`.
    `lines` are the newest lines for the scrape buffer, at most 1000, oldest first, without line ends.
    """

    ticks: int
    payload: bytes
    lines: Sequence[str]

    @property
    def events(self) -> Sequence[bytes]:
        """One item a tick, for sinks that send them apart."""
        raise NotImplementedError

    @property
    def labels(self) -> Sequence[Mapping[str, str]]:
        """The label set of each event, without `le` and `quantile`."""
        raise NotImplementedError

    @property
    def timestamps_ns(self) -> Sequence[int]:
        """The time of each event."""
        raise NotImplementedError

    @property
    def samples(self) -> Sequence[Sample]:
        """Metrics only, in the order of the lines."""
        raise NotImplementedError

    @property
    def records(self) -> Sequence[Record]:
        """Logs only."""
        raise NotImplementedError


class Emitter:
    """State of one run of one entry: what is cumulative, cached series texts, the latest value of each series."""

    def __init__(self, entry: Entry) -> None: ...

    def emit(self, span: Span, origin_ns: int) -> Batch:
        """Generate and encode. `origin_ns`: Unix time of the entry's start, moved by `start_time` (`start_ns`)."""
        raise NotImplementedError

    def snap(self, value: float, timestamp_ns: int) -> Batch:
        """One sample of this value for each live series (`snap_to`)."""
        raise NotImplementedError

    def stale(self, timestamp_ns: int) -> Batch:
        """A stale marker for each live series, always later than the last sample."""
        raise NotImplementedError

    @property
    def latest(self) -> float | None:
        """The newest value, for gates of other entries; None before the first tick and for logs."""
        raise NotImplementedError

    def snapshot(self) -> list[tuple[str, str, float]]:
        """Name, label text (`{a="b"}` or empty) and latest value of each series, sorted by name and labels; bounded."""
        raise NotImplementedError


def start_ns(entry: Entry, now_ns: int) -> int:
    """The Unix time that the entry's first tick carries when it starts now (contract §4.5, `start_time`)."""
    raise NotImplementedError
