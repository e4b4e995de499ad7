"""When ticks are due: deadline pacing, gaps, bursts, cardinality windows (contract: signals §8.5). Pure.

Time here is seconds since the entry's own start. Between two edges of windows ticks are evenly spaced, so each stretch
is counted, not stepped through; a tick's time comes from the stretch's own start, so nothing drifts.
"""

from math import ceil, floor, inf

import msgspec

from loadtest.signals.scenario.entry import Bursts, CardinalitySpike, Entry, Gaps

MOST = 20_000  # ticks handed out at once: enough for 0.4 s of the fastest entry
_FUZZ = 1e-9  # of a tick: what sums of decimal fractions may be off by


class Span(msgspec.Struct, frozen=True):
    """Ticks in a row at one distance under the same windows.

    `due_s` is when the first is due; `spikes` says for each of the entry's cardinality spikes whether its window is on.
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
    """The clock of one run of one entry. Elapsed times never go back."""

    def __init__(self, entry: Entry) -> None:
        self._rate = entry.rate
        self._end_s = inf if entry.duration_s is None else entry.duration_s
        self._gaps, self._bursts, self._spikes = entry.gaps, entry.bursts, entry.cardinality_spikes
        self._tick = 0
        self._from_s, self._steps, self._interval_s = 0.0, 0, 0.0
        self._settle(0.0)

    @property
    def next_s(self) -> float | None:
        """When the next tick is due; None when the duration leaves none."""
        return self._due_s if self._due_s < self._end_s else None

    @property
    def _due_s(self) -> float:
        return self._from_s + self._steps * self._interval_s

    def due(self, elapsed_s: float, most: int = MOST) -> list[Span]:
        """The ticks due by now that were not handed out yet, at most so many; call again when `next_s` is past."""
        spans: list[Span] = []
        while most > 0 and (due_s := self._due_s) <= elapsed_s and due_s < self._end_s:
            edge_s = min(self._edge_after(due_s), self._end_s)
            before_edge = max(ceil((edge_s - due_s) / self._interval_s - _FUZZ), 1) if edge_s < inf else most
            by_now = floor((elapsed_s - due_s) / self._interval_s + _FUZZ) + 1
            count = min(before_edge, by_now, most)
            on = tuple(in_head(due_s, spike) for spike in self._spikes)
            spans.append(Span(self._tick, count, due_s, self._interval_s, on))
            self._tick += count
            self._steps += count
            most -= count
            if count == before_edge and edge_s < inf:
                self._settle(self._due_s)
        return spans

    def ended(self, elapsed_s: float) -> bool:
        """Whether the duration is over and every tick before its end was handed out."""
        return elapsed_s >= self._end_s and self.next_s is None

    def resume(self, elapsed_s: float) -> None:
        """Go on after a pause: the next tick is due now and keeps its number."""
        self._settle(max(elapsed_s, self._due_s))

    def windows(self, elapsed_s: float) -> Windows:
        in_gap = self._gaps is not None and gap_end(elapsed_s, self._gaps) is not None
        return Windows(
            in_gap=in_gap,
            in_burst=not in_gap and self._bursts is not None and in_head(elapsed_s, self._bursts),
            in_cardinality_spike=not in_gap and any(in_head(elapsed_s, spike) for spike in self._spikes),
        )

    def _settle(self, due_s: float) -> None:
        """Count from here on: past a gap if this is in one, with the distance that holds here."""
        if self._gaps and (end_s := gap_end(due_s, self._gaps)) is not None:
            due_s = end_s
            self._tick = max(self._tick, floor(end_s * self._rate + _FUZZ))
        faster = self._bursts.multiplier if self._bursts and in_head(due_s, self._bursts) else 1.0
        self._from_s, self._steps, self._interval_s = due_s, 0, 1 / (self._rate * faster)

    def _edge_after(self, due_s: float) -> float:
        """Where the next window begins or ends, after this moment."""
        edges = [cycle_start(due_s, self._gaps) + self._gaps.every_s - self._gaps.for_s] if self._gaps else []
        for window in (*([self._bursts] if self._bursts else ()), *self._spikes):
            start_s = cycle_start(due_s, window)
            edges.append(start_s + (window.for_s if in_head(due_s, window) else window.every_s))
        return min((edge for edge in edges if edge > due_s), default=inf)


def cycle_start(at_s: float, window: Gaps | Bursts | CardinalitySpike) -> float:
    """When the cycle that this moment is in began."""
    return floor(at_s / window.every_s + _FUZZ) * window.every_s


def in_head(at_s: float, window: Bursts | CardinalitySpike) -> bool:
    """Whether this moment is in the first `for` of a cycle."""
    return at_s - cycle_start(at_s, window) < window.for_s - _FUZZ


def gap_end(at_s: float, gaps: Gaps) -> float | None:
    """When the gap ends that this moment is in: the last `for` of a cycle; None outside of one."""
    start_s = cycle_start(at_s, gaps)
    return start_s + gaps.every_s if at_s - start_s >= gaps.every_s - gaps.for_s - _FUZZ else None
