"""When ticks are due: deadline pacing, gaps, bursts, cardinality windows (contract: signals §8.5). Pure."""

import msgspec

from loadtest.signals.scenario.entry import Entry


class Span(msgspec.Struct, frozen=True):
    """Ticks in a row at one distance under the same windows.

    `due_s` is when the first is due, in seconds since the entry's own start; `spikes` says for each of the entry's
    cardinality spikes whether its window is on.
    """

    first_tick: int
    count: int
    due_s: float
    interval_s: float
    spikes: tuple[bool, ...] = ()


class Windows(msgspec.Struct, frozen=True):
    """Which windows are on now (contract §6)."""

    in_gap: bool
    in_burst: bool
    in_cardinality_spike: bool


class Pacer:
    """The clock of one run of one entry. Elapsed times are seconds since the entry's own start, and never go back."""

    def __init__(self, entry: Entry) -> None: ...

    def due(self, elapsed_s: float, most: int = 5_000) -> list[Span]:
        """The ticks due by now that were not handed out yet, at most so many; call again when `next_s` is past."""
        raise NotImplementedError

    @property
    def next_s(self) -> float | None:
        """When the next tick is due; None when the duration leaves none."""
        raise NotImplementedError

    def ended(self, elapsed_s: float) -> bool:
        """Whether the duration is over and every tick before its end was handed out."""
        raise NotImplementedError

    def resume(self, elapsed_s: float) -> None:
        """Go on after a pause: the next tick is due now and keeps its number."""
        raise NotImplementedError

    def windows(self, elapsed_s: float) -> Windows:
        raise NotImplementedError
