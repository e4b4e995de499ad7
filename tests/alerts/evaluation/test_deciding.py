"""One step of a rule: from what was remembered and one reading to what follows (contract: fleet console §10)."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from alerts.evaluation.anomaly import Deviation
from alerts.evaluation.deciding import Memory, Move, decide
from alerts.evaluation.models import Verdict
from alerts.evaluation.readings import Reading, Subject
from alerts.rules.models import Rule
from tests.alerts.conftest import NOW, later

MACHINE = Subject("one", "web-7", "RUNNING", None, NOW, NOW, None)
LETTERS = {"t": Verdict.TRUE, "f": Verdict.FALSE, "p": Verdict.PENDING, "s": Verdict.STALE, "n": Verdict.NO_DATA}


def rule_of(**fields) -> Rule:
    wanted = {"metric": "cpu_percent", "operator": "gt", "threshold": 90}
    return Rule(type="THRESHOLD", severity="HIGH", conditions=wanted, cooldown_s=0, **fields)


def played(rule: Rule, letters: str, *, every_s: int = 10, lost: frozenset[int] = frozenset()) -> str:
    """`o` where an alert is open after a look, `.` where not. At the looks in `lost` the process dies after the alert
    was opened or ended and before anything is remembered."""
    memory, is_open, shown = None, False, ""
    for place, letter in enumerate(letters):
        now = later(place * every_s)
        value = {"t": 95.0, "f": 50.0}.get(letter)
        step = decide(Reading(rule, MACHINE, LETTERS[letter], value, at=now), memory, is_open, now)
        assert not (step.move is Move.FIRE and is_open) and not (step.move is Move.RESOLVE and not is_open)
        is_open = {Move.FIRE: True, Move.RESOLVE: False}.get(step.move, is_open)
        if place not in lost:
            memory = step.memory or memory
        shown += "o" if is_open else "."
    return shown


@pytest.mark.parametrize(
    ("fields", "letters", "shown"),
    [
        ({}, "fttf", ".oo."),
        ({}, "tpf", "oo."),  # not long enough any more ends nothing
        ({}, "ft" "ssn" "f", ".o" "ooo" "."),  # missing data ends nothing
        ({}, "nspt", "...o"),
        ({"no_data": "ignore"}, "tsf", "o.."),
        ({"no_data": "alert"}, "fsnf", ".oo."),
        ({"match_count": 2, "match_window": 3}, "tftfft", "..o..."),
        ({"match_count": 3, "match_window": 3}, "tttf", "..o."),
        ({"match_count": 2, "match_window": 2}, "tst", "..o"),  # what is not known is not counted
        ({"keep_firing_s": 20}, "tffff", "ooo.."),
        ({"keep_firing_s": 20}, "tftfff", "ooooo."),
    ],
)  # fmt: skip
def test_what_follows_from_what_is_found(fields, letters, shown):
    assert played(rule_of(**fields), letters) == shown


@pytest.mark.parametrize(
    ("operator", "clear", "value", "ends"),
    [("gt", 80, 85, False), ("gt", 80, 80, True), ("gte", 80, 81, False), ("lt", 95, 92, False), ("lte", 95, 95, True)],
)
def test_what_is_open_ends_only_beyond_the_clear_threshold(operator, clear, value, ends):
    rule = rule_of(clear_threshold=clear)
    rule.conditions["operator"] = operator
    step = decide(Reading(rule, MACHINE, Verdict.FALSE, value), Memory("true", NOW), True, later(10))
    assert (step.move is Move.RESOLVE) is ends
    assert decide(Reading(rule, MACHINE, Verdict.FALSE, value), None, False, NOW).move is None


@pytest.mark.parametrize(("percent", "ends"), [(30, False), (19, True), (None, True)])
def test_a_deviation_ends_below_its_clear_threshold(percent, ends):
    rule = Rule(type="ANOMALY", conditions={"deviation_percent": 50}, clear_threshold=20)
    detail = None if percent is None else Deviation(1, 1, percent)
    step = decide(Reading(rule, MACHINE, Verdict.FALSE, 1.0, detail), Memory("true", NOW), True, later(10))
    assert (step.move is Move.RESOLVE) is ends


def test_missing_data_of_a_machine_at_rest_is_no_news():
    rule = rule_of(no_data="alert")
    asleep = MACHINE._replace(status="SUSPENDED")
    assert decide(Reading(rule, asleep, Verdict.STALE, expected=False), None, False, NOW).move is None


def test_a_sample_counts_once_however_often_it_is_looked_at():
    rule = rule_of(match_count=2, match_window=3)
    seen = Reading(rule, MACHINE, Verdict.TRUE, 95.0, at=NOW)
    memory = decide(seen, None, False, NOW).memory
    for second in (5, 10, 15):
        step = decide(seen, memory, False, later(second))
        assert step.move is None and step.memory is None
    assert decide(seen._replace(at=later(30)), memory, False, later(30)).move is Move.FIRE


def test_a_quiet_fleet_remembers_nothing_and_since_stays():
    rule = rule_of()
    assert decide(Reading(rule, MACHINE, Verdict.FALSE, 1.0), None, False, NOW) == (None, None)
    before = Memory("true", NOW, 95.0)
    assert decide(Reading(rule, MACHINE, Verdict.TRUE, 99.0), before, True, later(10)).memory is None
    assert decide(Reading(rule, MACHINE, Verdict.FALSE, 1.0), before, True, later(10)).memory.since_at == later(10)


@settings(max_examples=150, deadline=None)
@given(letters=st.text("tf", min_size=1, max_size=40), window=st.integers(1, 6), data=st.data())
def test_n_of_m_is_what_it_says(letters, window, data):
    count = data.draw(st.integers(1, window))
    shown = played(rule_of(match_count=count, match_window=window), letters)
    for place, state in enumerate(shown):
        trues = letters[max(0, place - window + 1) : place + 1].count("t")
        assert (state == "o") is (trues >= count)


@settings(max_examples=150, deadline=None)
@given(letters=st.text("tfpsn", min_size=1, max_size=30), lost=st.frozensets(st.integers(0, 29)))
def test_a_death_between_the_alert_and_the_memory_loses_and_doubles_nothing(letters, lost):
    assert played(rule_of(), letters, lost=lost) == played(rule_of(), letters)


@settings(max_examples=100, deadline=None)
@given(letters=st.text("tf", min_size=2, max_size=30), keep=st.integers(1, 8))
def test_what_is_kept_open_ends_that_long_after(letters, keep):
    shown = played(rule_of(keep_firing_s=keep * 10), letters)
    for place, state in enumerate(shown):
        recent = letters[max(0, place - keep) : place + 1]
        assert state == ("o" if "t" in recent else "."), (letters, shown)
