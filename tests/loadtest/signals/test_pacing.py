"""When ticks are due (contract: signals §8.5)."""

from typing import Any

import pytest

from loadtest.signals.encoders.specs import PrometheusText
from loadtest.signals.generators.specs import Constant
from loadtest.signals.scenario.entry import Bursts, CardinalitySpike, Entry, Gaps
from loadtest.signals.scenario.sinks import Memory
from loadtest.signals.schedule.pacing import Pacer

# A tick: its number, when it was due, and whether the first cardinality spike was on.
Tick = tuple[int, float, bool]


def pacer(rate: float, **told: Any) -> Pacer:
    return Pacer(
        Entry(
            name="m", signal_type="metrics", rate=rate, generator=Constant(value=1), encoder=PrometheusText(),
            sink=Memory(), **told,
        )
    )  # fmt: skip


def ticks(clock: Pacer, until_s: float, step_s: float = 0.1) -> list[Tick]:
    made: list[Tick] = []
    for number in range(round(until_s / step_s) + 1):
        while spans := clock.due(number * step_s):
            for span in spans:
                on = any(span.spikes)
                made += [
                    (span.first_tick + place, span.due_s + place * span.interval_s, on) for place in range(span.count)
                ]
    return made


@pytest.mark.parametrize("step_s", [0.01, 0.1, 1.7, 10.0])
@pytest.mark.parametrize(("rate", "duration_s"), [(1, 10.0), (3, 7.0), (0.3, 10.0), (1000, 2.0), (7, 0.1)])
def test_rate_times_duration_ticks_however_often_one_looks(rate: float, duration_s: float, step_s: float) -> None:
    made = ticks(pacer(rate, duration_s=duration_s), 20, step_s)
    assert [number for number, _, _ in made] == list(range(len(made)))
    assert abs(len(made) - -(-rate * duration_s // 1)) <= 1
    assert [due for _, due, _ in made] == pytest.approx([number / rate for number in range(len(made))])
    assert made[-1][1] < duration_s


def test_no_tick_at_the_end_and_none_before_it_is_due() -> None:
    clock = pacer(1, duration_s=3.0)
    assert len(ticks(clock, 2.9)) == 3
    assert clock.next_s is None
    assert (clock.ended(2.9), clock.ended(3.0)) == (False, True)
    assert clock.due(100) == []


def test_the_long_run_rate_is_exact() -> None:
    assert len(ticks(pacer(1 / 3), 30_000, 100)) == 10_001


def test_gaps_are_the_tail_of_a_cycle_and_the_number_goes_on_with_the_clock() -> None:
    made = ticks(pacer(2, gaps=Gaps(every_s=5, for_s=2)), 11)
    assert [due for _, due, _ in made] == [0, 0.5, 1, 1.5, 2, 2.5, 5, 5.5, 6, 6.5, 7, 7.5, 10, 10.5, 11]
    assert [number for number, _, _ in made] == [0, 1, 2, 3, 4, 5, 10, 11, 12, 13, 14, 15, 20, 21, 22]


def test_bursts_are_the_head_of_a_cycle() -> None:
    made = ticks(pacer(1, bursts=Bursts(every_s=10, for_s=2, multiplier=5)), 12)
    assert [due for _, due, _ in made if due < 2.05] == pytest.approx([number / 5 for number in range(11)])
    assert len([due for _, due, _ in made if 2 < due < 9.5]) == 7
    assert [number for number, _, _ in made] == list(range(len(made)))


def test_numbers_never_run_backwards_after_a_burst_and_a_gap() -> None:
    told = {"bursts": Bursts(every_s=10, for_s=5, multiplier=10), "gaps": Gaps(every_s=10, for_s=3)}
    numbers = [number for number, _, _ in ticks(pacer(2, **told), 40)]
    assert numbers == sorted(set(numbers))
    assert numbers[-1] > 200


def test_a_gap_wins_over_a_burst_and_over_a_spike() -> None:
    spike = CardinalitySpike(label="pod", every_s=4, for_s=3, cardinality=9)
    clock = pacer(
        1, gaps=Gaps(every_s=4, for_s=2), bursts=Bursts(every_s=4, for_s=3, multiplier=2), cardinality_spikes=[spike]
    )
    assert [due for _, due, _ in ticks(clock, 7.9)] == [0, 0.5, 1, 1.5, 4, 4.5, 5, 5.5]
    during, after = clock.windows(2.5), clock.windows(5)
    assert (during.in_gap, during.in_burst, during.in_cardinality_spike) == (True, False, False)
    assert (after.in_gap, after.in_burst, after.in_cardinality_spike) == (False, True, True)


def test_cardinality_windows_are_heads() -> None:
    spike = CardinalitySpike(label="pod", every_s=4, for_s=1.5, cardinality=9)
    made = ticks(pacer(2, cardinality_spikes=[spike]), 5)
    assert [due for _, due, on in made if on] == [0, 0.5, 1, 4, 4.5, 5]


def test_windows_of_decimal_fractions_do_not_fray() -> None:
    made = ticks(pacer(10, gaps=Gaps(every_s=0.7, for_s=0.3)), 70, 0.1)
    assert len(made) == 401 and made[-1][:2] == (700, pytest.approx(70))


def test_what_is_late_comes_at_once_but_bounded() -> None:
    clock = pacer(1000)
    assert sum(span.count for span in clock.due(60, most=500)) == 500
    assert clock.next_s == 0.5
    assert sum(span.count for span in clock.due(60, most=10**6)) == 59_501


def test_after_a_pause_the_number_is_kept_and_the_tick_is_due_now() -> None:
    clock = pacer(1)
    ticks(clock, 3)
    clock.resume(7.25)
    assert [(number, due) for number, due, _ in ticks(clock, 9)] == [(4, 7.25), (5, 8.25)]
