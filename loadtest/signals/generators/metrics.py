"""Values of the metric generators and their aliases, a run of ticks at a time (contract: signals §8.1, §8.2)."""

from collections.abc import Callable, Iterable
from functools import singledispatch
from itertools import chain, islice, repeat
from math import floor, fmod, pi, sin

from loadtest.signals.generators import specs
from loadtest.signals.generators.mixing import JITTER, fraction, mix

# The values of `count` ticks from `first` on: a pure function of the ticks.
Values = Callable[[int, int], list[float]]


def values_of(spec: specs.Metric, rate: float, jitter: float | None = None, jitter_seed: int = 0) -> Values:
    """The generator with its jitter; an explicit one beats the noise of an alias."""
    plain = _values(spec, rate)
    if jitter is None and isinstance(spec, specs.Steady | specs.Degradation):
        jitter, jitter_seed = spec.noise, spec.noise_seed
    return _jittered(plain, jitter, jitter_seed ^ JITTER) if jitter else plain


def _jittered(plain: Values, jitter: float, seed: int) -> Values:
    width = 2 * jitter

    def values(first: int, count: int) -> list[float]:
        return [
            value + fraction(mix(seed ^ tick)) * width - jitter for tick, value in enumerate(plain(first, count), first)
        ]

    return values


def _each(value: Callable[[int], float]) -> Values:
    return lambda first, count: [value(tick) for tick in range(first, first + count)]


@singledispatch
def _values(spec: specs.Metric, rate: float) -> Values:
    raise TypeError(f"{type(spec).__name__} is no metric generator")


@_values.register
def _(spec: specs.Constant, rate: float) -> Values:
    return lambda first, count: [spec.value] * count


@_values.register
def _(spec: specs.Uniform, rate: float) -> Values:
    low, width, seed = spec.min, spec.max - spec.min, spec.seed
    return _each(lambda tick: low + fraction(mix(seed ^ tick)) * width)


@_values.register
def _(spec: specs.Sine, rate: float) -> Values:
    turn, period = 2 * pi, spec.period_secs * rate
    return _each(lambda tick: spec.offset + spec.amplitude * sin(turn * tick / period))


@_values.register
def _(spec: specs.Steady, rate: float) -> Values:
    return _values(specs.Sine(amplitude=spec.amplitude, period_secs=spec.period_s, offset=spec.center), rate)


@_values.register
def _(spec: specs.Sawtooth, rate: float) -> Values:
    low, height, period = spec.min, spec.max - spec.min, spec.period_secs * rate
    return _each(lambda tick: low + fmod(tick, period) / period * height)


@_values.register
def _(spec: specs.Saturation | specs.Degradation, rate: float) -> Values:
    period_s = spec.time_to_saturate_s if isinstance(spec, specs.Saturation) else spec.time_to_degrade_s
    return _values(specs.Sawtooth(min=spec.baseline, max=spec.ceiling, period_secs=period_s), rate)


@_values.register
def _(spec: specs.Leak, rate: float) -> Values:
    """What leaked does not come back: it stays at the ceiling."""
    low, height, period = spec.baseline, spec.ceiling - spec.baseline, spec.time_to_ceiling_s * rate
    return _each(lambda tick: low + tick / period * height if tick < period else spec.ceiling)


@_values.register
def _(spec: specs.Sequence, rate: float) -> Values:
    return listed(spec.values, again=spec.repeat)


@_values.register
def _(spec: specs.CsvReplay, rate: float) -> Values:
    return listed(spec.values, again=spec.repeat)


@_values.register
def _(spec: specs.Flap, rate: float) -> Values:
    up, down = ticks_of(spec.up_duration_s, rate), ticks_of(spec.down_duration_s, rate)
    return _each(lambda tick: spec.up_value if tick % (up + down) < up else spec.down_value)


@_values.register
def _(spec: specs.Step, rate: float) -> Values:
    start, size = spec.start, spec.step_size
    if spec.max is None or spec.max <= start:
        return _each(lambda tick: start + tick * size)
    span = spec.max - start
    return _each(lambda tick: start + (tick * size) % span)


@_values.register
def _(spec: specs.Spike, rate: float) -> Values:
    cycle, high = spec.interval_secs * rate, spec.duration_secs * rate
    top = spec.baseline + spec.magnitude
    return _each(lambda tick: top if fmod(tick, cycle) < high else spec.baseline)


@_values.register
def _(spec: specs.SpikeEvent, rate: float) -> Values:
    spike = specs.Spike(
        baseline=spec.baseline,
        magnitude=spec.spike_height,
        duration_secs=spec.spike_duration_s,
        interval_secs=spec.spike_interval_s,
    )
    return _values(spike, rate)


def listed(values: list[float], *, again: bool) -> Values:
    """The values one by one, from the start again or holding the last."""
    size = len(values)

    def cycled(first: int, count: int) -> list[float]:
        start = first % size
        whole: Iterable[float] = chain.from_iterable(repeat(values, (start + count) // size + 1))
        return list(islice(whole, start, start + count))

    def held(first: int, count: int) -> list[float]:
        some = values[first : first + count]
        return some + [values[-1]] * (count - len(some))

    return cycled if again else held


def ticks_of(seconds: float, rate: float) -> int:
    """Whole ticks of a time, at least one; halves go up, as in the engine that the golden values come from."""
    return max(floor(seconds * rate + 0.5), 1)
