"""What a run is, and when its requests are due."""

from fractions import Fraction
from math import floor
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from loadtest.engine.plan import Mode, PlanError, RunSpec, Sampling, Schedule, Share


def spec(mode: Mode = Mode.CONSTANT_CONCURRENCY, **options: Any) -> RunSpec:
    defaults = {
        "addresses": (("127.0.0.1", 80),),
        "requests": (b"GET",),
        "concurrency": 10,
        "iterations": 100,
        "rate": 5.0,
    }
    return RunSpec(mode=mode, **(defaults | options))


@pytest.mark.parametrize(
    ("mode", "options", "field"),
    [
        (Mode.CONSTANT_RPS, {"rate": 0}, "rps"),
        (Mode.CONSTANT_RPS, {"rate": -1}, "rps"),
        (Mode.CONSTANT_RPS, {"rate": float("nan")}, "rps"),
        (Mode.CONSTANT_RPS, {"rate": 1_000_001}, "rps"),
        (Mode.CONSTANT_RPS, {"max_in_flight": -1}, "max_in_flight"),
        (Mode.CONSTANT_RPS, {"max_in_flight": 1_000_001}, "max_in_flight"),
        (Mode.CONSTANT_RPS, {"duration_s": 0}, "duration"),
        (Mode.CONSTANT_CONCURRENCY, {"duration_s": 86_401}, "duration"),
        (Mode.CONSTANT_CONCURRENCY, {"duration_s": float("inf")}, "duration"),
        (Mode.CONSTANT_CONCURRENCY, {"concurrency": 0}, "concurrency"),
        (Mode.CONSTANT_CONCURRENCY, {"concurrency": 10_001}, "concurrency"),
        (Mode.RAMP_UP, {"start_concurrency": -1}, "start_concurrency"),
        (Mode.RAMP_UP, {"ramp_s": -0.1}, "ramp_up"),
        (Mode.ITERATIONS, {"iterations": 0}, "iterations"),
        (Mode.ITERATIONS, {"iterations": 10**9 + 1}, "iterations"),
        (Mode.ITERATIONS, {"timeout_s": 0}, "timeout"),
        (Mode.ITERATIONS, {"requests": ()}, "requests"),
        (Mode.ITERATIONS, {"addresses": ()}, "addresses"),
    ],
)
def test_refused(mode: Mode, options: dict[str, Any], field: str) -> None:
    with pytest.raises(PlanError) as refused:
        spec(mode, **options)
    assert refused.value.field == field


def test_what_the_mode_does_not_use_is_not_checked() -> None:
    spec(Mode.CONSTANT_RPS, iterations=0, concurrency=0)
    spec(Mode.ITERATIONS, duration_s=0, rate=-5)


def test_travels_as_json() -> None:
    sent = spec(
        Mode.RAMP_UP, requests=(b"\x00\xff", b"b"), sampling=Sampling(every=7), addresses=(("::1", 1), ("a", 2))
    )
    assert RunSpec.from_json(sent.to_json()) == sent


@pytest.mark.parametrize(
    ("rate", "duration", "expected"),
    [(1500, 10, 15_000), (0.29, 100, 29), (0.7, 10, 7), (1.1, 10, 11), (0.1, 5, 0), (1e6, 0.0015, 1500), (3, 0.5, 1)],
)
def test_expected_is_the_floor_of_what_was_written(rate: float, duration: float, expected: int) -> None:
    assert spec(Mode.CONSTANT_RPS, rate=rate, duration_s=duration).expected == expected


@pytest.mark.parametrize(("rate", "most"), [(5, 1000), (5_000, 50_000), (1_000_000, 1_000_000)])
def test_default_of_the_most_in_flight(rate: float, most: int) -> None:
    assert spec(Mode.CONSTANT_RPS, rate=rate).max_in_flight == most


@settings(max_examples=200, deadline=None)
@given(
    rate=st.floats(0.01, 5_000, allow_nan=False),
    duration=st.floats(0.01, 3, allow_nan=False),
    workers=st.integers(1, 8),
)
def test_workers_take_turns_on_one_schedule(rate: float, duration: float, workers: int) -> None:
    run = spec(Mode.CONSTANT_RPS, rate=rate, duration_s=duration)
    schedules = [Schedule(Share(run, index, workers)) for index in range(workers)]
    due = sorted(schedule.due_ns(k) for schedule in schedules for k in range(schedule.count))
    assert len(due) == run.expected == floor(Fraction(repr(rate)) * Fraction(repr(duration)))
    assert all(abs(moment - n * 1e9 / rate) <= 1 for n, moment in enumerate(due))
    assert not due or due[-1] < duration * 1e9 + 1


@settings(max_examples=200, deadline=None)
@given(whole=st.integers(0, 100_000), workers=st.integers(1, 128))
def test_parts_add_up(whole: int, workers: int) -> None:
    parts = [Share(spec(), index, workers).part(whole) for index in range(workers)]
    assert sum(parts) == whole
    assert max(parts) - min(parts) <= 1


@settings(max_examples=200, deadline=None)
@given(
    start=st.integers(0, 1000),
    end=st.integers(1, 1000),
    ramp=st.floats(0, 60),
    t=st.floats(0, 120),
    of=st.integers(1, 9),
)
def test_ramp(start: int, end: int, ramp: float, t: float, of: int) -> None:
    run = spec(Mode.RAMP_UP, start_concurrency=start, concurrency=end, ramp_s=ramp)
    target = run.concurrency_at(t)
    assert target == (end if t >= ramp else floor(start + (end - start) * t / ramp))
    assert min(start, end) <= target <= max(start, end)
    assert sum(Share(run, index, of).concurrency_at(t) for index in range(of)) == target


@pytest.mark.parametrize(
    ("options", "wanted", "useful"),
    [
        ({"mode": Mode.CONSTANT_RPS, "rate": 100}, 8, 1),
        ({"mode": Mode.CONSTANT_RPS, "rate": 100_000}, 8, 8),
        ({"mode": Mode.CONSTANT_RPS, "rate": 100_000, "max_in_flight": 3}, 8, 3),
        ({"mode": Mode.ITERATIONS, "iterations": 2}, 8, 2),
        ({"concurrency": 3}, 8, 3),
        ({"concurrency": 300}, 500, 128),
    ],
)
def test_no_more_workers_than_have_something_to_do(options: dict[str, Any], wanted: int, useful: int) -> None:
    assert Share(spec(**options)).useful_workers(wanted) == useful


@given(variants=st.integers(1, 12), workers=st.integers(1, 5))
def test_variants_are_sent_in_turn(variants: int, workers: int) -> None:
    run = spec(requests=tuple(b"%d" % n for n in range(variants)))
    for index in range(workers):
        order = Share(run, index, workers).requests
        assert [order[k % len(order)] for k in range(20)] == [
            b"%d" % ((index + k * workers) % variants) for k in range(20)
        ]


@settings(max_examples=200, deadline=None)
@given(whole=st.integers(0, 10_000), workers=st.lists(st.integers(1, 9), min_size=1, max_size=6))
def test_parts_with_any_number_of_workers_add_up(whole: int, workers: list[int]) -> None:
    run = spec(Mode.CONSTANT_RPS, rate=whole or 0.1, duration_s=1)
    shares = [
        Share(run, part, len(workers)).worker(index, count)
        for part, count in enumerate(workers)
        for index in range(count)
    ]
    assert sum(share.part(whole) for share in shares) == whole
    schedules = [Schedule(share) for share in shares]
    due = sorted(schedule.due_ns(k) for schedule in schedules for k in range(schedule.count))
    assert due == [int(n * (1e9 / run.rate)) for n in range(run.expected)]
