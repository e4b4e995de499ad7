"""What a span of ticks became: encoded, and as samples or records for sinks that have a form of their own."""

from collections.abc import Mapping, Sequence
from functools import cached_property
from itertools import chain

import msgspec

from loadtest.signals.encoders.logs import LogLine
from loadtest.signals.encoders.metrics import SCRAPED, LineEncoder, label_text
from loadtest.signals.encoders.remote_write import write_request
from loadtest.signals.generators.logs import Event

SCRAPE_LINES = 1000  # the scrape buffer keeps no more (contract §7.1)
Row = Sequence[float]


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


class SeriesSet:
    """The series that one label set stands for, one a column, with the parts of their lines that never change."""

    __slots__ = ("frames", "key", "labels", "scraped", "series")

    def __init__(
        self,
        name: str,
        columns: Sequence[tuple[str, tuple[str, str] | None]],
        encoder: LineEncoder | None,
        labels: dict[str, str],
    ) -> None:
        self.labels = labels
        self.series = [
            (name + suffix, dict(sorted((*labels.items(), extra))) if extra else labels) for suffix, extra in columns
        ]
        self.scraped = [SCRAPED.frame(*one) for one in self.series]
        self.frames = self.scraped if encoder is None else [encoder.frame(*one) for one in self.series]
        self.key = label_text(labels)


class Batch:
    """An event is what one tick made, all of its lines.

    `payload` is all of it, encoded and ended as a sink sends it; `len(payload)` counts into `bytes_emitted`.
    """

    ticks: int
    timestamps_ns: Sequence[int]  # the time of each event

    @cached_property
    def payload(self) -> bytes:
        return b"".join(self.events)

    @property
    def events(self) -> Sequence[bytes]:
        """One item a tick, for sinks that send them apart."""
        raise NotImplementedError

    @property
    def lines(self) -> Sequence[str]:
        """The newest lines for the scrape buffer, at most 1000, oldest first, without line ends; none of logs."""
        return ()

    @property
    def labels(self) -> Sequence[Mapping[str, str]]:
        """The label set of each event, without `le` and `quantile`."""
        raise NotImplementedError

    @property
    def samples(self) -> Sequence[Sample]:
        """Metrics only, in the order of the lines."""
        return ()

    @property
    def records(self) -> Sequence[Record]:
        """Logs only."""
        return ()


class MetricBatch(Batch):
    """`sets` and `rows` go tick by tick; a row has a value for each series of its set."""

    def __init__(
        self, encoder: LineEncoder | None, sets: Sequence[SeriesSet], rows: Sequence[Row], timestamps_ns: Sequence[int]
    ) -> None:
        self._encoder = encoder  # None: remote write
        self._sets, self._rows, self.timestamps_ns = sets, rows, timestamps_ns
        self.ticks = len(rows)

    @cached_property
    def payload(self) -> bytes:
        if self._encoder is None:
            return write_request((one.name, one.labels, one.value, one.timestamp_ns) for one in self.samples)
        return ("\n".join(self._texts) + "\n").encode() if self.ticks else b""

    @cached_property
    def _texts(self) -> list[str]:
        """A text a tick; several lines where it has several series."""
        encoder = self._encoder or SCRAPED
        return event_texts(encoder, [one.frames for one in self._sets], self._rows, self.timestamps_ns)

    @property
    def events(self) -> Sequence[bytes]:
        if self._encoder is None:
            series = [(one.name, one.labels, one.value, one.timestamp_ns) for one in self.samples]
            width = len(series) // self.ticks if self.ticks else 1
            return [write_request(series[start : start + width]) for start in range(0, len(series), width)]
        return [f"{text}\n".encode() for text in self._texts]

    @property
    def lines(self) -> Sequence[str]:
        width = len(self._rows[-1]) if self.ticks else 1
        newest = slice(-SCRAPE_LINES // width, None)  # rounds up: what is too much is cut below
        if self._encoder is SCRAPED:
            texts = self._texts[newest]
        else:
            frames = [one.scraped for one in self._sets[newest]]
            texts = event_texts(SCRAPED, frames, self._rows[newest], self.timestamps_ns[newest])
        if width == 1:
            return texts
        return list(chain.from_iterable(text.split("\n") for text in texts))[-SCRAPE_LINES:]

    @property
    def labels(self) -> Sequence[Mapping[str, str]]:
        return [one.labels for one in self._sets]

    @property
    def samples(self) -> Sequence[Sample]:
        return [
            Sample(name, labels, value, timestamp_ns)
            for one, row, timestamp_ns in zip(self._sets, self._rows, self.timestamps_ns, strict=True)
            for (name, labels), value in zip(one.series, row, strict=True)
        ]


def event_texts(
    encoder: LineEncoder,
    frames: Sequence[Sequence[tuple[str, str]]],
    rows: Sequence[Row],
    timestamps_ns: Sequence[int],
) -> list[str]:
    """A text a tick, its lines joined: the one hot loop, so all that can be is done for many at once."""
    after, stamps = encoder.after, encoder.stamps(timestamps_ns)
    numbers = encoder.numbers(list(chain.from_iterable(rows)))
    if len(numbers) == len(rows):
        return [
            f"{before}{number}{between}{stamp}{after}"
            for ((before, between),), number, stamp in zip(frames, numbers, stamps, strict=True)
        ]
    left = iter(numbers)
    return [
        "\n".join(f"{before}{next(left)}{between}{stamp}{after}" for before, between in framed)
        for framed, stamp in zip(frames, stamps, strict=True)
    ]


class LogBatch(Batch):
    def __init__(
        self,
        line: LogLine,
        label_sets: Sequence[Mapping[str, str]],
        happened: Sequence[Event],
        timestamps_ns: Sequence[int],
    ) -> None:
        self._line, self._labels, self._happened = line, label_sets, happened
        self.timestamps_ns = timestamps_ns
        self.ticks = len(happened)

    @cached_property
    def events(self) -> Sequence[bytes]:
        return [
            f"{self._line(timestamp_ns, severity, message, labels, fields)}\n".encode()
            for timestamp_ns, (severity, message, fields), labels in zip(
                self.timestamps_ns, self._happened, self._labels, strict=True
            )
        ]

    @property
    def labels(self) -> Sequence[Mapping[str, str]]:
        return self._labels

    @property
    def records(self) -> Sequence[Record]:
        return [
            Record(timestamp_ns, severity, message, labels, fields)
            for timestamp_ns, (severity, message, fields), labels in zip(
                self.timestamps_ns, self._happened, self._labels, strict=True
            )
        ]
