"""From ticks to encoded events: generator, labels and encoder of one entry together, a span at a time."""

from collections.abc import Sequence

from loadtest.signals.encoders import specs as encodings
from loadtest.signals.encoders.logs import log_encoder
from loadtest.signals.encoders.metrics import SCRAPED, label_text, line_encoder
from loadtest.signals.encoders.remote_write import STALE
from loadtest.signals.generators import specs
from loadtest.signals.generators.batches import Batch, LogBatch, MetricBatch, Row, SeriesSet
from loadtest.signals.generators.distributions import observer_of
from loadtest.signals.generators.labels import LabelSets
from loadtest.signals.generators.logs import events_of
from loadtest.signals.generators.metrics import values_of
from loadtest.signals.scenario.entry import Entry
from loadtest.signals.scenario.start_times import start_from
from loadtest.signals.schedule.pacing import Span

LIVE_SETS = 100_000  # label sets whose latest value is known; the oldest are forgotten


class Emitter:
    """State of one run of one entry: what is cumulative, cached series texts, the latest value of each series.

    `Emitter(entry)` makes the kind that the entry needs.
    """

    def __new__(cls, entry: Entry) -> "Emitter":
        return super().__new__(LogEmitter if entry.is_log else MetricEmitter)

    def __init__(self, entry: Entry) -> None:
        raise NotImplementedError

    def emit(self, span: Span, origin_ns: int) -> Batch:
        """Generate and encode. `origin_ns`: Unix time of the entry's start, moved by `start_time`."""
        raise NotImplementedError

    def snap(self, value: float, timestamp_ns: int) -> Batch:
        """One sample of this value for each live series (`snap_to`); none of logs."""
        raise NotImplementedError

    def stale(self, timestamp_ns: int) -> Batch:
        """A stale marker for each live series, always later than the last sample; none of logs."""
        raise NotImplementedError

    @property
    def latest(self) -> float | None:
        """The newest value, for gates of other entries; None before the first tick, and for all but plain metrics."""
        return None

    def snapshot(self) -> list[tuple[str, str, float]]:
        """Name, label text (`{a="b"}` or empty) and latest value of each series, sorted by name and labels; bounded."""
        return []


def start_ns(entry: Entry, now_ns: int) -> int:
    """The Unix time that the entry's first tick carries when it starts now (contract §4.5, `start_time`)."""
    return start_from(entry.start_time, now_ns)


def timestamps(span: Span, origin_ns: int) -> list[int]:
    """When each tick of a span was due, in Unix nanoseconds."""
    first_ns, step_ns = origin_ns + round(span.due_s * 1e9), span.interval_s * 1e9
    return [first_ns + int(number * step_ns) for number in range(span.count)]


class MetricEmitter(Emitter):
    def __init__(self, entry: Entry) -> None:
        spec = entry.generator
        columns: Sequence[tuple[str, tuple[str, str] | None]] = [("", None)]
        self._observer = self._values = None
        if isinstance(spec, specs.Histogram | specs.Summary):
            self._observer = observer_of(spec, entry.rate)
            columns = self._observer.columns
        else:
            self._values = values_of(spec, entry.rate, entry.jitter, entry.jitter_seed)  # type: ignore[arg-type]
        binary = isinstance(entry.encoder, encodings.RemoteWrite)
        plain = entry.encoder == encodings.PrometheusText()
        self._encoder = None if binary else SCRAPED if plain else line_encoder(entry.encoder)
        framing = None if binary or plain else self._encoder
        self._sets = LabelSets(entry, lambda labels: SeriesSet(entry.name, columns, framing, labels))
        self._live: dict[str, tuple[SeriesSet, Row]] = {}
        self._last: float | None = None
        self._newest_ns = 0

    def emit(self, span: Span, origin_ns: int) -> Batch:
        sets = self._sets.of(span)
        rows = self._rows(span)
        stamps = timestamps(span, origin_ns)
        if span.count:
            self._remember(sets, rows)
            self._newest_ns, self._last = stamps[-1], rows[-1][0]
        return MetricBatch(self._encoder, sets, rows, stamps)

    def _rows(self, span: Span) -> Sequence[Row]:
        if self._values is not None:
            return list(zip(self._values(span.first_tick, span.count)))
        observer = self._observer
        return [observer.row(tick) for tick in range(span.first_tick, span.first_tick + span.count)]

    def _remember(self, sets: Sequence[SeriesSet], rows: Sequence[Row]) -> None:
        if sets.count(sets[0]) == len(sets):
            sets, rows = sets[-1:], rows[-1:]
        self._live.update(zip((one.key for one in sets), zip(sets, rows, strict=True), strict=True))
        while len(self._live) > LIVE_SETS:
            del self._live[next(iter(self._live))]

    def snap(self, value: float, timestamp_ns: int) -> Batch:
        batch = self._all_live(value, timestamp_ns)
        self._live = {key: (one, [value] * len(row)) for key, (one, row) in self._live.items()}
        self._last = value if self._live else None
        return batch

    def stale(self, timestamp_ns: int) -> Batch:
        return self._all_live(STALE, timestamp_ns)

    def _all_live(self, value: float, timestamp_ns: int) -> Batch:
        sets = [one for one, _row in self._live.values()]
        rows = [[value] * len(row) for _one, row in self._live.values()]
        later_ns = max(timestamp_ns, self._newest_ns + 1_000_000)  # by what the coarsest format can tell apart
        self._newest_ns = later_ns
        return MetricBatch(self._encoder, sets, rows, [later_ns] * len(sets))

    @property
    def latest(self) -> float | None:
        return self._last if self._values is not None else None

    def snapshot(self) -> list[tuple[str, str, float]]:
        return sorted(
            (name, label_text(labels), value)
            for one, row in self._live.values()
            for (name, labels), value in zip(one.series, row, strict=True)
        )


class LogEmitter(Emitter):
    def __init__(self, entry: Entry) -> None:
        self._event = events_of(entry.generator)  # type: ignore[arg-type]
        self._line = log_encoder(entry.encoder)
        self._labels = LabelSets(entry, lambda labels: labels)

    def emit(self, span: Span, origin_ns: int) -> Batch:
        happened = [self._event(tick) for tick in range(span.first_tick, span.first_tick + span.count)]
        return LogBatch(self._line, self._labels.of(span), happened, timestamps(span, origin_ns))

    def snap(self, value: float, timestamp_ns: int) -> Batch:
        return LogBatch(self._line, [], [], [])

    def stale(self, timestamp_ns: int) -> Batch:
        return LogBatch(self._line, [], [], [])
