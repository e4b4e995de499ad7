"""ANOMALY rules (contract: fleet console §10 and clarifications)."""

import pytest

from alerts.evaluation.services import evaluate
from fleet.metrics.baselines import Sum
from fleet.metrics.services import roll_up
from tests.alerts.conftest import NOW, busy, later, make_instance, make_rule, opened, report

pytestmark = pytest.mark.django_db


def unusual(**wanted):
    conditions = {"metric": "cpu_percent", "deviation_percent": 50, "window_sec": 600} | wanted
    rule = make_rule(type="ANOMALY")
    rule.conditions = conditions
    rule.save()
    return rule


@pytest.mark.parametrize(
    ("values", "fires"),
    [
        ([10, 10, 10, 10, 15], True),
        ([10, 10, 10, 10, 14.9], False),
        ([10, 10, 10, 10, 5], True),
        ([10, 10, 10, 15], False),  # fewer than five samples
        ([0, 0, 0, 0, 50], False),  # a mean of zero
        ([10, 20, 10, 20, 22.5], True),  # the mean is 15 without the newest, 16.5 with it
    ],
)
def test_the_newest_sample_is_judged_by_the_mean_of_the_others(values, fires):
    unusual()
    busy(make_instance(), {place * 30: value for place, value in enumerate(values)})
    evaluate(now=later(120))
    assert bool(opened()) is fires


def test_the_alert_tells_value_baseline_and_deviation():
    unusual()
    busy(make_instance(name="web-7"), {0: 10, 30: 10, 60: 10, 90: 10, 120: 25})
    evaluate(now=later(120))
    (alert,) = opened()
    assert alert.title == "CPU unusual on web-7"
    assert alert.message == ("CPU on web-7 is 25 %, 150 % above its mean of 10 % over 10 min (rule: 50 % or more off).")
    assert alert.metadata == {
        "metric": "cpu_percent",
        "currentValue": 25,
        "baseline": pytest.approx(10),
        "deviationPercent": pytest.approx(150),
    }


def test_counters_are_judged_by_their_rate():
    """A counter that grows evenly is not unusual, however large it gets; one that grows faster is."""
    unusual(metric="net_bytes_recv")
    even, faster = make_instance(name="even"), make_instance(name="faster")
    for step in range(7):
        report(even, at=later(30 * step), net_rx=10**6 * step)
        report(faster, at=later(30 * step), net_rx=10**6 * step * (4 if step == 6 else 1))
    evaluate(now=later(180))
    assert [alert.instance for alert in opened()] == [faster]


def test_a_long_window_reads_what_was_rolled_up():
    """A window of hours gives the same verdict from roll-ups and from single samples."""
    rule = unusual(window_sec=7200)
    machine = make_instance()
    busy(machine, dict.fromkeys(range(-7000, 0, 250), 10) | {0: 40})
    evaluate(now=later(1))
    before = opened()[0].metadata
    roll_up()
    opened()[0].delete()
    rule.states.all().delete()
    evaluate(now=later(2))
    assert opened()[0].metadata["baseline"] == pytest.approx(before["baseline"]) == pytest.approx(10)


def test_a_stale_sample_gives_no_verdict():
    rule = unusual()
    busy(make_instance(), {0: 10, 30: 10, 60: 10, 90: 10, 120: 25})
    evaluate(now=later(421))
    assert not opened() and rule.states.get().verdict == "stale"


def test_the_sample_under_judgement_is_taken_out_only_when_it_is_within():
    known = Sum(4, 100.0, NOW)
    assert known.without(40.0, later(1)) == 20
    assert known.without(40.0, later(-1)) == 25
    assert Sum(1, 5.0, NOW).without(5.0, NOW) is None
