"""Golden values of the contract (signals §8.9), bit for bit; sine, ln and cos may differ in the last bit."""

from math import isclose

import pytest

from loadtest.signals.generators import specs
from loadtest.signals.generators.distributions import observer_of
from loadtest.signals.generators.labels import spiking
from loadtest.signals.generators.logs import events_of
from loadtest.signals.generators.metrics import values_of
from loadtest.signals.generators.mixing import mix
from loadtest.signals.scenario.entry import CardinalitySpike


def test_mix() -> None:
    assert (mix(0), mix(1), mix(42)) == (0xE220A8397B1DCDAF, 0x910A2DEC89025CC1, 0xBDD732262FEB6E95)


EXACT = {
    "uniform": (
        specs.Uniform(min=-5, max=5, seed=2024),
        {},
        [1.2276553664610983, -4.696049544054661, 3.5785422301121823, -1.5178754938817969],
    ),
    "constant with jitter": (
        specs.Constant(value=10),
        {"jitter": 0.5, "jitter_seed": 99},
        [9.645118753591285, 9.575802483350367, 10.16868084004216, 10.201850040164267],
    ),
    "sawtooth": (
        specs.Sawtooth(min=10, max=20, period_secs=4),
        {"rate": 2.0},
        [10, 11.25, 12.5, 13.75, 15, 16.25, 17.5, 18.75, 10],
    ),
    "step": (specs.Step(start=5, step_size=2, max=11), {}, [5, 7, 9, 5, 7]),
    "spike": (specs.Spike(baseline=4, magnitude=-3, duration_secs=2, interval_secs=5), {}, [1, 1, 4, 4, 4, 1]),
    "sequence that repeats": (specs.Sequence(values=[1, 2, 3]), {}, [1, 2, 3, 1, 2]),
    "sequence that holds": (specs.Sequence(values=[1, 2, 3], repeat=False), {}, [1, 2, 3, 3, 3]),
    "flap": (specs.Flap(up_duration_s=1, down_duration_s=0.2), {"rate": 2.0}, [1, 1, 0, 1, 1, 0]),
    "leak stays at its ceiling": (specs.Leak(time_to_ceiling_s=4), {}, [0, 25, 50, 75, 100, 100, 100]),
    "spike event": (
        specs.SpikeEvent(baseline=1, spike_height=9, spike_duration_s=1, spike_interval_s=3),
        {},
        [10, 1, 1, 10],
    ),
}


@pytest.mark.parametrize("name", EXACT)
def test_exact_values(name: str) -> None:
    spec, told, expected = EXACT[name]
    values = values_of(spec, **{"rate": 1.0, **told})
    assert values(0, len(expected)) == expected
    assert [values(tick, 1)[0] for tick in range(len(expected))] == expected


CLOSE = {
    "sine": (specs.Sine(amplitude=3, period_secs=12, offset=7), [7, 8.5, 9.598076211353316, 10, 9.598076211353316]),
    "steady": (specs.Steady(), [49.528040653905045, 50.823651090461766, 51.58285908494004, 53.64973710033604]),
}


@pytest.mark.parametrize("name", CLOSE)
def test_values_by_sine(name: str) -> None:
    spec, expected = CLOSE[name]
    assert values_of(spec, 1.0)(0, len(expected)) == pytest.approx(expected, rel=1e-12)


def test_an_explicit_jitter_beats_the_noise_of_an_alias() -> None:
    assert values_of(specs.Steady(), 1.0, jitter=0.0)(0, 1) == [50.0]


def test_degradation_is_a_sawtooth_with_noise() -> None:
    values = values_of(specs.Degradation(ceiling=8, time_to_degrade_s=4, noise=0.25), 1.0)(0, 5)
    assert [round(value / 2) * 2 for value in values] == [0, 2, 4, 6, 0]
    assert values_of(specs.Degradation(ceiling=8, time_to_degrade_s=4, noise=0.0), 1.0)(3, 1) == [6.0]


def test_random_spike_labels() -> None:
    spike = CardinalitySpike(
        label="pod", every_s=9, for_s=3, cardinality=3, strategy="random", prefix="pod-", seed=7
    )  # fmt: skip
    names = ["pod-63cbe1e459320dd7", "pod-bd64a5d9adefe000", "pod-63033b0ca389c35a"]
    assert [spiking(spike, tick) for tick in range(4)] == [*names, names[0]]


def test_histogram_is_cumulative() -> None:
    spec = specs.Histogram(
        distribution=specs.Exponential(rate=5), buckets=[0.1, 0.25, 0.5], observations_per_tick=50, seed=3
    )
    observer = observer_of(spec, 1.0)
    for tick, (counts, total) in enumerate(
        [([17, 36, 47, 50], 9.422491316412861), ([36, 67, 91, 100], 20.827774083665304)]
    ):
        *buckets, summed, count = observer.row(tick)
        assert buckets == counts
        assert isclose(summed, total, rel_tol=1e-12)
        assert count == counts[-1]
    assert observer.columns[:2] == [("_bucket", ("le", "0.1")), ("_bucket", ("le", "0.25"))]
    assert observer.columns[3:] == [("_bucket", ("le", "+Inf")), ("_sum", None), ("_count", None)]


def test_summary() -> None:
    spec = specs.Summary(
        distribution=specs.UniformDistribution(min=0, max=10),
        quantiles=[0.5, 0.9, 0.95, 0.99],
        observations_per_tick=20,
        seed=4,
    )
    expected = [5.077953850769346, 8.96214645528613, 9.283633095669737, 9.700659051535297, 99.57316775148453, 20]
    assert observer_of(spec, 1.0).row(0) == pytest.approx(expected, rel=1e-12)


def test_normal_and_the_shift_of_the_mean() -> None:
    spec = specs.Summary(
        distribution=specs.Normal(mean=100, stddev=0), quantiles=[0.5], observations_per_tick=4, mean_shift_per_sec=2
    )
    observer = observer_of(spec, 4.0)
    assert [observer.row(tick)[0] for tick in (0, 2, 40)] == [100, 101, 120]


def test_log_template() -> None:
    spec = specs.Template(
        templates=[
            specs.LogTemplate(
                message="{zone}/{node} {unknown}", field_pools={"zone": ["eu", "us", "ap"], "node": ["x", "y"]}
            )
        ],
        severity_weights={"info": 0.6, "warn": 0.3, "error": 0.1},
        seed=21,
    )
    event = events_of(spec)
    expected = ["info/eu/x", "info/eu/x", "info/ap/y", "info/us/y", "warn/us/x", "warn/eu/x"]
    for tick, text in enumerate(expected):
        severity, message, fields = event(tick)
        zone, node = fields["zone"], fields["node"]
        assert f"{severity}/{zone}/{node}" == text
        assert message == f"{zone}/{node} {{unknown}}"


def test_templates_take_turns_and_without_weights_all_is_info() -> None:
    event = events_of(specs.Template(templates=[specs.LogTemplate(message="a"), specs.LogTemplate(message="b")]))
    assert [event(tick)[:2] for tick in range(3)] == [("info", "a"), ("info", "b"), ("info", "a")]


def test_rows_of_logs_are_replayed() -> None:
    rows = [specs.LogRow("warn", "one", {"k": "v"}), specs.LogRow("info", "two", {})]
    again, once = events_of(specs.LogReplay(rows=rows)), events_of(specs.LogReplay(rows=rows, repeat=False))
    assert [again(tick)[1] for tick in range(3)] == ["one", "two", "one"]
    assert [once(tick)[1] for tick in range(3)] == ["one", "two", "two"]
