"""What the host and its runner tell each other: MessagePack, each message after its length in four bytes."""

from typing import Any, BinaryIO

import msgspec

LARGEST = 256 << 20


class Message(msgspec.Struct, kw_only=True, tag=True):
    pass


class Setup(Message):
    """The first order: what outgoing calls may reach (`config.outbound.Policy`), and where files may be written."""

    allow: list[str]
    deny: list[str]
    allow_loopback: bool
    folder: str
    debug: bool = False


class Figures(msgspec.Struct, kw_only=True):
    """What a runner counts of one scenario (contract: signals §6). `next_tick` is the number of the tick to come."""

    total_events: int = 0
    bytes_emitted: int = 0
    errors: int = 0
    current_rate: float = 0.0
    in_gap: bool = False
    in_burst: bool = False
    in_cardinality_spike: bool = False
    consecutive_failures: int = 0
    total_sink_failures: int = 0
    last_sink_error: str | None = None
    last_successful_write_at: int | None = None
    next_tick: int = 0


class Launch(msgspec.Struct, kw_only=True):
    """One scenario to run. `elapsed_s` is how long ago it began, above 0 for one that another runner had before."""

    id: str
    batch: str
    place: int
    config: dict[str, Any]
    figures: Figures
    elapsed_s: float = 0.0


class Start(Message):
    """Scenarios that begin at the same moment."""

    launches: list[Launch]


class Stop(Message):
    """Leave the tick, flush the sink, report the end. With `drop` nothing is flushed or reported."""

    ids: list[str]
    drop: bool = False


class Delivered(Message):
    """What became of the points or lines that a report carried for the platform: None when they were stored."""

    id: str
    fault: str | None = None


class Points(msgspec.Struct, kw_only=True):
    """One series for the platform: (Unix milliseconds, value)."""

    name: str
    labels: dict[str, str]
    points: list[tuple[int, float]]


class Line(msgspec.Struct, kw_only=True):
    """One log line for the platform."""

    at_ns: int
    severity: str
    message: str
    labels: dict[str, str]
    fields: dict[str, str]


class Parcel(msgspec.Struct, kw_only=True):
    """What a report carries for the platform; answered by Delivered."""

    curves: list[Points] = []
    lines: list[Line] = []


class Report(msgspec.Struct, kw_only=True):
    """What came of one scenario since its last report. `lines` are new lines for scrapers, oldest first.

    `series` is None where nothing changed: name, label text and value text of each series.
    """

    id: str
    state: str
    figures: Figures
    lines: list[str] = []
    series: list[tuple[str, str, str]] | None = None
    tail: str | None = None
    parcel: Parcel | None = None


class Told(Message):
    reports: list[Report]


Order = Setup | Start | Stop | Delivered
_encoder = msgspec.msgpack.Encoder()
_orders, _told = msgspec.msgpack.Decoder(Order), msgspec.msgpack.Decoder(Told)


def packed(message: Message) -> bytes:
    body = _encoder.encode(message)
    return len(body).to_bytes(4, "big") + body


def send(stream: BinaryIO, message: Message) -> None:
    """Write one message; raises OSError when nobody reads any more."""
    stream.write(packed(message))
    stream.flush()


def next_order(stream: BinaryIO) -> Order | None:
    """The next order; None at the end of the stream."""
    body = _body(stream)
    return None if body is None else _orders.decode(body)


def next_told(stream: BinaryIO) -> Told | None:
    """The next report; None at the end of the stream."""
    body = _body(stream)
    return None if body is None else _told.decode(body)


def _body(stream: BinaryIO) -> bytes | None:
    head = stream.read(4)
    if len(head) < 4 or (size := int.from_bytes(head, "big")) > LARGEST:
        return None
    body = stream.read(size)
    return body if len(body) == size else None
