"""The label set of a tick: static, rotating, and that of cardinality spikes (contract: signals §8.6)."""

from collections.abc import Callable
from math import lcm
from typing import Generic, TypeVar

from loadtest.signals.generators.mixing import mix
from loadtest.signals.scenario.entry import CardinalitySpike, DynamicLabel, Entry
from loadtest.signals.schedule.pacing import Span

KEPT = 10_000  # label sets; a cycle with more is computed again
Made = TypeVar("Made")


class LabelSets(Generic[Made]):
    """What is made of each label set, kept for the next tick that has it: most of an event's text never changes."""

    def __init__(self, entry: Entry, make: Callable[[dict[str, str]], Made]) -> None:
        self._entry = entry
        self._make = make
        self._steady = lcm(*(label.cardinality for label in entry.dynamic_labels))
        self._kept: dict[tuple[int, tuple[bool, ...]], Made] = {}

    def of(self, span: Span) -> list[Made]:
        """One item a tick."""
        spikes = zip(self._entry.cardinality_spikes, span.spikes, strict=False)
        cycle = lcm(self._steady, *(spike.cardinality for spike, is_on in spikes if is_on))
        if cycle == 1:
            return [self._one(0, span.spikes)] * span.count
        return [self._one(tick % cycle, span.spikes) for tick in range(span.first_tick, span.first_tick + span.count)]

    def _one(self, place: int, spikes: tuple[bool, ...]) -> Made:
        found = self._kept.get((place, spikes))
        if found is None:
            if len(self._kept) >= KEPT:
                self._kept.clear()
            found = self._kept[place, spikes] = self._make(labels_at(self._entry, place, spikes))
        return found


def labels_at(entry: Entry, tick: int, spikes: tuple[bool, ...] = ()) -> dict[str, str]:
    """All labels of a tick, sorted by key; a rotating one beats a static one of its key."""
    labels = dict(entry.labels)
    labels.update((label.key, dynamic(label, tick)) for label in entry.dynamic_labels)
    labels.update(
        (spike.label, spiking(spike, tick))
        for spike, is_on in zip(entry.cardinality_spikes, spikes, strict=False)
        if is_on
    )
    return dict(sorted(labels.items()))


def dynamic(label: DynamicLabel, tick: int) -> str:
    place = tick % label.cardinality
    return label.values[place] if label.values else f"{label.prefix}{place}"


def spiking(spike: CardinalitySpike, tick: int) -> str:
    place = tick % spike.cardinality
    return f"{spike.prefix}{mix(spike.seed ^ place):016x}" if spike.strategy == "random" else f"{spike.prefix}{place}"
