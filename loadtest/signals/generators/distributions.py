"""Histograms and summaries: seeded observations, cumulative counts (contract: signals §8.3)."""

from bisect import bisect_left
from collections.abc import Callable
from itertools import accumulate
from math import ceil, cos, log, pi, sqrt

from loadtest.signals.encoders.numbers import value_text
from loadtest.signals.generators import specs
from loadtest.signals.generators.mixing import MASK, fraction53, mix

_SEED, _TICK = 0x517CC1B727220A95, 0x6C62272E07BB0142
_TINY = 2.0**-52
Draw = Callable[[int], float]


def draw_of(spec: specs.Exponential | specs.Normal | specs.UniformDistribution) -> Draw:
    """From an observation's number x to its value, without the shift of the mean."""
    match spec:
        case specs.Exponential():
            rate = spec.rate
            return lambda x: -log(1 - min(fraction53(mix(x)), 1 - _TINY)) / rate
        case specs.Normal():
            mean, stddev = spec.mean, spec.stddev
            return lambda x: (
                mean
                + stddev
                * sqrt(-2 * log(max(fraction53(mix(x)), _TINY)))
                * cos(2 * pi * fraction53(mix(mix((x + 1) & MASK))))
            )
    low, width = spec.min, spec.max - spec.min
    return lambda x: low + fraction53(mix(x)) * width


class Observer:
    """The observations of one run, and the columns of what is told about them: a suffix and a label each."""

    columns: list[tuple[str, tuple[str, str] | None]]

    def __init__(self, spec: specs.Histogram | specs.Summary, rate: float) -> None:
        self._draw = draw_of(spec.distribution)
        self._seeded = spec.seed * _SEED
        self._per_tick = spec.observations_per_tick
        self._shift_per_tick = (spec.mean_shift_per_sec, rate)
        self._calls = self._count = 0
        self._sum = 0.0

    def row(self, tick: int) -> list[float]:
        """The values of all columns after this tick's observations."""
        base = ((self._seeded + self._calls) * _TICK) & MASK
        per_s, rate = self._shift_per_tick
        shift, draw = per_s * tick / rate, self._draw
        observed = [draw((base + number) & MASK) + shift for number in range(self._per_tick)]
        self._calls += 1
        self._count += self._per_tick
        for value in observed:  # one by one: `sum` compensates, and the golden values do not
            self._sum += value
        return self._told(observed)

    def _told(self, observed: list[float]) -> list[float]:
        raise NotImplementedError


class HistogramObserver(Observer):
    def __init__(self, spec: specs.Histogram, rate: float) -> None:
        super().__init__(spec, rate)
        self._bounds = spec.buckets
        self._counts = [0] * len(spec.buckets)
        self.columns = [("_bucket", ("le", value_text(bound))) for bound in spec.buckets]
        self.columns += [("_bucket", ("le", "+Inf")), ("_sum", None), ("_count", None)]

    def _told(self, observed: list[float]) -> list[float]:
        within = [0] * (len(self._bounds) + 1)
        for value in observed:
            within[bisect_left(self._bounds, value)] += 1  # the first bound that is not below the value
        self._counts = [kept + new for kept, new in zip(self._counts, accumulate(within), strict=False)]
        return [*map(float, self._counts), float(self._count), self._sum, float(self._count)]


class SummaryObserver(Observer):
    def __init__(self, spec: specs.Summary, rate: float) -> None:
        super().__init__(spec, rate)
        last = spec.observations_per_tick - 1
        self._places = [min(max(ceil(q * spec.observations_per_tick) - 1, 0), last) for q in spec.quantiles]
        self.columns = [("", ("quantile", value_text(q))) for q in spec.quantiles] + [("_sum", None), ("_count", None)]

    def _told(self, observed: list[float]) -> list[float]:
        observed.sort()
        return [*(observed[place] for place in self._places), self._sum, float(self._count)]


def observer_of(spec: specs.Histogram | specs.Summary, rate: float) -> Observer:
    return HistogramObserver(spec, rate) if isinstance(spec, specs.Histogram) else SummaryObserver(spec, rate)
