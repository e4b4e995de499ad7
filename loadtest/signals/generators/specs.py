"""What a generator is told: its parameters with defaults filled in (contract: signals §8.1 to §8.4).

Names are those of the contract; a parameter that the contract writes as a duration string is held in seconds and ends
in `_s`.
"""

import msgspec


class Spec(msgspec.Struct, frozen=True, tag_field="type", forbid_unknown_fields=True):
    """The parameters of one generator; the tag is its type."""


class Constant(Spec, frozen=True, kw_only=True, tag="constant"):
    value: float


class Uniform(Spec, frozen=True, kw_only=True, tag="uniform"):
    min: float
    max: float
    seed: int = 0


class Sine(Spec, frozen=True, kw_only=True, tag="sine"):
    amplitude: float
    period_secs: float
    offset: float


class Sawtooth(Spec, frozen=True, kw_only=True, tag="sawtooth"):
    min: float
    max: float
    period_secs: float


class Sequence(Spec, frozen=True, kw_only=True, tag="sequence"):
    values: list[float]
    repeat: bool = True


class Step(Spec, frozen=True, kw_only=True, tag="step"):
    start: float = 0.0
    step_size: float
    max: float | None = None


class Spike(Spec, frozen=True, kw_only=True, tag="spike"):
    baseline: float
    magnitude: float
    duration_secs: float
    interval_secs: float


class CsvReplay(Spec, frozen=True, kw_only=True, tag="csv_replay"):
    """One column of a CSV; its values were read when the scenario was, so that a run depends on no file."""

    file: str | None = None
    column: int = 1
    repeat: bool = True
    timescale: float = 1.0
    values: list[float] = []


class Steady(Spec, frozen=True, kw_only=True, tag="steady"):
    center: float = 50.0
    amplitude: float = 10.0
    period_s: float = 60.0
    noise: float = 1.0
    noise_seed: int = 0


class Flap(Spec, frozen=True, kw_only=True, tag="flap"):
    up_duration_s: float = 10.0
    down_duration_s: float = 5.0
    up_value: float = 1.0
    down_value: float = 0.0


class Saturation(Spec, frozen=True, kw_only=True, tag="saturation"):
    baseline: float = 0.0
    ceiling: float = 100.0
    time_to_saturate_s: float = 300.0


class Leak(Spec, frozen=True, kw_only=True, tag="leak"):
    baseline: float = 0.0
    ceiling: float = 100.0
    time_to_ceiling_s: float = 600.0


class Degradation(Spec, frozen=True, kw_only=True, tag="degradation"):
    baseline: float = 0.0
    ceiling: float = 100.0
    time_to_degrade_s: float = 300.0
    noise: float = 1.0
    noise_seed: int = 0


class SpikeEvent(Spec, frozen=True, kw_only=True, tag="spike_event"):
    baseline: float = 0.0
    spike_height: float = 100.0
    spike_duration_s: float = 10.0
    spike_interval_s: float = 30.0


class Exponential(Spec, frozen=True, kw_only=True, tag="exponential"):
    rate: float


class Normal(Spec, frozen=True, kw_only=True, tag="normal"):
    mean: float
    stddev: float


class UniformDistribution(Spec, frozen=True, kw_only=True, tag="uniform"):
    min: float
    max: float


class Histogram(Spec, frozen=True, kw_only=True, tag="histogram"):
    distribution: Exponential | Normal | UniformDistribution
    buckets: list[float]
    observations_per_tick: int = 100
    mean_shift_per_sec: float = 0.0
    seed: int = 0


class Summary(Spec, frozen=True, kw_only=True, tag="summary"):
    distribution: Exponential | Normal | UniformDistribution
    quantiles: list[float]
    observations_per_tick: int = 100
    mean_shift_per_sec: float = 0.0
    seed: int = 0


class LogTemplate(msgspec.Struct, frozen=True, kw_only=True):
    message: str
    field_pools: dict[str, list[str]] = {}


class Template(Spec, frozen=True, kw_only=True, tag="template"):
    templates: list[LogTemplate]
    severity_weights: dict[str, float] = {}
    seed: int = 0


class LogRow(msgspec.Struct, frozen=True):
    severity: str
    message: str
    fields: dict[str, str]


class LogReplay(Spec, frozen=True, kw_only=True, tag="log_replay"):
    """Rows of a CSV of logs, read when the scenario was."""

    file: str | None = None
    repeat: bool = True
    timescale: float = 1.0
    rows: list[LogRow] = []


Metric = (
    Constant
    | Uniform
    | Sine
    | Sawtooth
    | Sequence
    | Step
    | Spike
    | CsvReplay
    | Steady
    | Flap
    | Saturation
    | Leak
    | Degradation
    | SpikeEvent
)
Generator = Metric | Histogram | Summary | Template | LogReplay
