"""When a metric first crosses a value, worked out beforehand (contract: signals §8.7)."""

from math import floor

from loadtest.signals.generators import specs
from loadtest.signals.generators.metrics import values_of
from loadtest.signals.scenario.entry import Entry
from loadtest.signals.scenario.fields import Fields


def crossing_s(fields: Fields, target: Entry, op: str, value: float) -> float:
    """Seconds from the target's start; raises Shapeless, with the reason, where that has no answer."""

    def refused(reason: str) -> Exception:
        return fields.shapeless("after", f"waits for '{target.id}' {op} {value:g}, {reason}")

    spec, rate = target.generator, target.rate
    found: float | None
    match spec:
        case specs.Sequence():
            found = _first(spec.values, op, value, rate)
        case specs.Flap() if op == "<":
            found = spec.up_duration_s if spec.down_value < value else None
        case specs.Sawtooth() | specs.Saturation() | specs.Leak() | specs.Degradation() if op == ">":
            found = _rise(*_teeth(spec), value)
        case specs.Step() if op == ">":
            found = _step(spec, value, rate)
        case specs.Spike() if op == "<":
            found = spec.duration_secs if spec.baseline < value else None
        case specs.SpikeEvent() if op == "<":
            found = spec.spike_duration_s if spec.baseline < value else None
        case specs.Flap() | specs.Spike() | specs.SpikeEvent():
            raise refused("which is true from the start: this kind begins high")
        case _:
            raise refused("which cannot be known beforehand of this kind of entry")
    if found is None:
        raise refused("which never comes")
    if _holds(values_of(spec, rate)(0, 1)[0], op, value):
        raise refused("which is true from the start")
    return found


def _holds(latest: float, op: str, value: float) -> bool:
    return latest < value if op == "<" else latest > value


def _first(values: list[float], op: str, value: float, rate: float) -> float | None:
    return next((place / rate for place, one in enumerate(values) if _holds(one, op, value)), None)


def _teeth(spec: specs.Metric) -> tuple[float, float, float]:
    """Bottom, top and period in seconds."""
    match spec:
        case specs.Sawtooth():
            return spec.min, spec.max, spec.period_secs
        case specs.Saturation():
            return spec.baseline, spec.ceiling, spec.time_to_saturate_s
        case specs.Leak():
            return spec.baseline, spec.ceiling, spec.time_to_ceiling_s
        case specs.Degradation():
            return spec.baseline, spec.ceiling, spec.time_to_degrade_s
    raise TypeError(type(spec).__name__)


def _rise(low: float, high: float, period_s: float, value: float) -> float | None:
    if low > value:
        return 0.0  # true from the start, which is refused with that reason
    return (value - low) / (high - low) * period_s if high > value else None


def _step(spec: specs.Step, value: float, rate: float) -> float | None:
    """The first tick above the value, in seconds; it must come before the values start over."""
    if spec.start > value:
        return 0.0
    if spec.step_size <= 0:
        return None
    tick = floor((value - spec.start) / spec.step_size) + 1
    above = spec.start + tick * spec.step_size
    wraps = spec.max is not None and spec.max > spec.start and above >= spec.max
    return None if wraps else tick / rate
