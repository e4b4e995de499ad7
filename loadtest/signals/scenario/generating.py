"""Reading metric generators (contract: signals §8.1 to §8.3)."""

from collections.abc import Callable
from math import isfinite

from loadtest.signals.generators import specs
from loadtest.signals.generators.metrics import values_of
from loadtest.signals.scenario.fields import Fields

BUCKETS = [0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0]
QUANTILES = [0.5, 0.9, 0.95, 0.99]
MOST_COLUMNS = 1000
FAR = 10**12  # a tick that no run passes
MOST_OBSERVATIONS = 100_000
MOST_OBSERVATIONS_PER_S = 1_000_000
_FLAPS = {
    "boolean": (1.0, 0.0),
    "link_state": (1.0, 0.0),
    "oper_state": (1.0, 2.0),
    "admin_state": (1.0, 2.0),
    "neighbor_state": (6.0, 1.0),
}


def metric(fields: Fields, rate: float) -> specs.Metric:
    """The generator of a metric, other than a replay."""
    kinds = sorted((*_READERS, "csv_replay"))
    spec = _READERS[fields.choice("type", kinds)](fields)
    try:
        for tick in (1, FAR):
            values_of(spec, rate)(tick, 1)
    except (ArithmeticError, ValueError):
        raise fields.fault("type", "cannot be computed with numbers so large or so small") from None
    return spec


def _constant(fields: Fields) -> specs.Metric:
    return specs.Constant(value=fields.number("value", finite=False))


def _uniform(fields: Fields) -> specs.Metric:
    low, high = fields.number("min"), fields.number("max")
    if low > high:
        raise fields.fault("min", "must not be above 'max'")
    return specs.Uniform(min=low, max=high, seed=fields.integer("seed", 0))


def _sine(fields: Fields) -> specs.Metric:
    return specs.Sine(
        amplitude=fields.number("amplitude"),
        period_secs=fields.number("period_secs", above=0),
        offset=fields.number("offset"),
    )


def _sawtooth(fields: Fields) -> specs.Metric:
    return specs.Sawtooth(
        min=fields.number("min"), max=fields.number("max"), period_secs=fields.number("period_secs", above=0)
    )


def _sequence(fields: Fields) -> specs.Metric:
    return specs.Sequence(values=fields.numbers("values", finite=False), repeat=fields.flag("repeat", True))


def _step(fields: Fields) -> specs.Metric:
    return specs.Step(
        start=fields.number("start", 0.0), step_size=fields.number("step_size"), max=fields.number("max", None)
    )


def _spike(fields: Fields) -> specs.Metric:
    return specs.Spike(
        baseline=fields.number("baseline"),
        magnitude=fields.number("magnitude"),
        duration_secs=fields.number("duration_secs", at_least=0),
        interval_secs=fields.number("interval_secs", above=0),
    )


def _steady(fields: Fields) -> specs.Metric:
    return specs.Steady(
        center=fields.number("center", 50.0),
        amplitude=fields.number("amplitude", 10.0),
        period_s=fields.seconds("period", 60.0),
        noise=fields.number("noise", 1.0, at_least=0),
        noise_seed=fields.integer("noise_seed", 0),
    )


def _flap(fields: Fields) -> specs.Metric:
    named = fields.choice("enum", sorted(_FLAPS), None)
    if named and (fields.has("up_value") or fields.has("down_value")):
        raise fields.fault("enum", "excludes 'up_value' and 'down_value'")
    up, down = _FLAPS[named or "boolean"]
    return specs.Flap(
        up_duration_s=fields.seconds("up_duration", 10.0),
        down_duration_s=fields.seconds("down_duration", 5.0),
        up_value=fields.number("up_value", up),
        down_value=fields.number("down_value", down),
    )


def _saturation(fields: Fields) -> specs.Metric:
    return specs.Saturation(
        baseline=fields.number("baseline", 0.0),
        ceiling=fields.number("ceiling", 100.0),
        time_to_saturate_s=fields.seconds("time_to_saturate", 300.0),
    )


def _leak(fields: Fields) -> specs.Metric:
    return specs.Leak(
        baseline=fields.number("baseline", 0.0),
        ceiling=fields.number("ceiling", 100.0),
        time_to_ceiling_s=fields.seconds("time_to_ceiling", 600.0),
    )


def _degradation(fields: Fields) -> specs.Metric:
    return specs.Degradation(
        baseline=fields.number("baseline", 0.0),
        ceiling=fields.number("ceiling", 100.0),
        time_to_degrade_s=fields.seconds("time_to_degrade", 300.0),
        noise=fields.number("noise", 1.0, at_least=0),
        noise_seed=fields.integer("noise_seed", 0),
    )


def _spike_event(fields: Fields) -> specs.Metric:
    return specs.SpikeEvent(
        baseline=fields.number("baseline", 0.0),
        spike_height=fields.number("spike_height", 100.0),
        spike_duration_s=fields.seconds("spike_duration", 10.0),
        spike_interval_s=fields.seconds("spike_interval", 30.0),
    )


_READERS: dict[str, Callable[[Fields], specs.Metric]] = {
    "constant": _constant,
    "uniform": _uniform,
    "sine": _sine,
    "sawtooth": _sawtooth,
    "sequence": _sequence,
    "step": _step,
    "spike": _spike,
    "steady": _steady,
    "flap": _flap,
    "saturation": _saturation,
    "leak": _leak,
    "degradation": _degradation,
    "spike_event": _spike_event,
}


def observed(fields: Fields, *, summary: bool, rate: float) -> specs.Histogram | specs.Summary:
    """A histogram or summary, from the fields of its entry."""
    distribution = _distribution(fields.mapping("distribution"))
    per_tick = fields.integer("observations_per_tick", 100, at_least=1, at_most=MOST_OBSERVATIONS)
    if per_tick * rate > MOST_OBSERVATIONS_PER_S:
        raise fields.fault("observations_per_tick", f"times 'rate' must be at most {MOST_OBSERVATIONS_PER_S} a second")
    shift, seed = fields.number("mean_shift_per_sec", 0.0), fields.integer("seed", 0)
    if summary:
        return specs.Summary(
            distribution=distribution,
            quantiles=_rising(fields, "quantiles", QUANTILES, below=1.0),
            observations_per_tick=per_tick,
            mean_shift_per_sec=shift,
            seed=seed,
        )
    return specs.Histogram(
        distribution=distribution,
        buckets=_rising(fields, "buckets", BUCKETS, below=float("inf")),
        observations_per_tick=per_tick,
        mean_shift_per_sec=shift,
        seed=seed,
    )


def _rising(fields: Fields, name: str, default: list[float], *, below: float) -> list[float]:
    if not fields.has(name):
        return default
    values = fields.numbers(name, finite=False, most=MOST_COLUMNS)
    if any(not 0 < value < below or not isfinite(value) for value in values):
        raise fields.fault(name, "must all be above 0" + (" and below 1" if below == 1 else ", and finite"))
    if any(after <= before for before, after in zip(values, values[1:], strict=False)):
        raise fields.fault(name, "must rise from one to the next")
    return values


def _distribution(fields: Fields) -> specs.Exponential | specs.Normal | specs.UniformDistribution:
    match fields.choice("type", ("exponential", "normal", "uniform")):
        case "exponential":
            return specs.Exponential(rate=fields.number("rate", above=0))
        case "normal":
            return specs.Normal(mean=fields.number("mean"), stddev=fields.number("stddev", at_least=0))
    low, high = fields.number("min"), fields.number("max")
    if low > high:
        raise fields.fault("min", "must not be above 'max'")
    return specs.UniformDistribution(min=low, max=high)
