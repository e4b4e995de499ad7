"""A scenario entry as everything after the parser sees it: checked, defaults merged, references resolved."""

from typing import Any, Literal, Self

import msgspec

from loadtest.signals.encoders.specs import AnyEncoder
from loadtest.signals.generators.specs import Generator
from loadtest.signals.scenario import plain
from loadtest.signals.scenario.sinks import AnySink

Signal = Literal["metrics", "logs", "histogram", "summary"]


class Part(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A part of an entry; names are the contract's, with `_s` where seconds are held."""


class Gaps(Part, frozen=True, kw_only=True):
    every_s: float
    for_s: float


class Bursts(Part, frozen=True, kw_only=True):
    every_s: float
    for_s: float
    multiplier: float


class DynamicLabel(Part, frozen=True, kw_only=True):
    """`values[t mod n]`, or `prefix` and `t mod cardinality`."""

    key: str
    prefix: str = "key_"
    cardinality: int
    values: list[str] | None = None


class CardinalitySpike(Part, frozen=True, kw_only=True):
    label: str
    every_s: float
    for_s: float
    cardinality: int
    strategy: Literal["counter", "random"] = "counter"
    prefix: str = "label_"
    seed: int = 0


class Gate(Part, frozen=True, kw_only=True):
    """`while` and `delay`: emit only while the upstream's latest value satisfies the comparison.

    `entry` is the upstream's place in `Document.entries` (its `id` may be absent from other rows of a database).
    """

    ref: str
    entry: int
    op: Literal["<", ">"]
    value: float
    open_s: float = 0.0
    close_s: float = 0.0
    snap_to: float | None = None
    stale_marker: bool = True


class Entry(Part, frozen=True, kw_only=True):
    """`offset_s` is the first tick's distance from the start of the clock group (`phase_offset` and `after` together);
    `clock_group` is None where the entry stands alone. `after` is kept as text, for people only."""

    name: str
    signal_type: Signal
    rate: float
    id: str | None = None
    duration_s: float | None = None
    start_time: str = "now"
    offset_s: float = 0.0
    clock_group: str | None = None
    after: str | None = None
    gate: Gate | None = None
    generator: Generator
    labels: dict[str, str] = {}
    dynamic_labels: list[DynamicLabel] = []
    cardinality_spikes: list[CardinalitySpike] = []
    gaps: Gaps | None = None
    bursts: Bursts | None = None
    jitter: float | None = None
    jitter_seed: int = 0
    encoder: AnyEncoder
    sink: AnySink
    on_sink_error: Literal["warn", "fail"] = "warn"
    metric_type: str | None = None  # None for logs
    help: str | None = None

    @property
    def is_log(self) -> bool:
        return self.signal_type == "logs"

    def config(self) -> dict[str, Any]:
        """Plain JSON that `from_config` reads back. Holds secrets of sinks: for the database only."""
        return plain.stored(self)

    @classmethod
    def from_config(cls, config: dict[str, Any]) -> Self:
        """The entry of a database row; raises msgspec.ValidationError on one that no version of ours wrote."""
        return plain.read(config, cls)

    def shown(self) -> dict[str, Any]:
        """The normalised entry as the API and pages show it: contract's names, durations as text, secrets masked."""
        return plain.shown(self)


class Document(msgspec.Struct, frozen=True, kw_only=True):
    """A parsed body. `flat`: one entry is answered as an object, not as a list (contract §4.3)."""

    entries: list[Entry]
    warnings: list[str]
    flat: bool
    scenario_name: str | None = None
