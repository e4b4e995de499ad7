"""What the days to come will cost."""

from datetime import date, timedelta

import pytest

from costs.forecast.rules import day_over, forecast, typical
from tests.costs.spending import TODAY, ago

SPAN = {"begin": date(2026, 3, 1), "until": date(2026, 3, 31), "today": TODAY}


def steady(cost: int, days: int = 40) -> dict[date, int]:
    return {ago(back): cost for back in range(1, days)}


def test_steady_days_have_no_range_to_speak_of():
    found = forecast(steady(10), **SPAN)
    assert (found.spent, found.expected, found.low, found.high) == (190, 310, 310, 310)
    assert found.typical.days == 14 and found.days_ahead == 11


def test_today_ends_at_the_usual_cost_or_above():
    assert forecast(steady(10) | {TODAY: 4}, **SPAN).expected == 310
    assert forecast(steady(10) | {TODAY: 25}, **SPAN).expected == 325


def test_days_that_differ_make_a_range_that_holds_both_kinds():
    days = {ago(back): 10 if back % 2 else 20 for back in range(1, 40)}
    found = forecast(days, **SPAN)
    assert found.low < found.expected == found.spent + 12 * 15 < found.high
    assert 0 < found.high - found.expected == found.expected - found.low < 12 * 15
    month_ahead = forecast(days, begin=SPAN["begin"], until=date(2026, 4, 30), today=TODAY)
    assert month_ahead.high - month_ahead.expected > found.high - found.expected, "further ahead is less sure"


def test_too_little_is_no_forecast_and_little_is_one_without_a_range():
    assert forecast({}, **SPAN) is None and forecast({TODAY: 9}, **SPAN) is None
    assert forecast({ago(20): 5}, **SPAN) is None, "too long ago"
    few = forecast(steady(10, 3), **SPAN)
    assert (few.expected, few.low, few.high) == (20 + 120, None, None)


def test_a_day_without_entries_among_others_cost_nothing():
    assert typical({ago(4): 10, ago(2): 20}, TODAY).mean == 7.5


@pytest.mark.parametrize(
    ("amount", "day"),
    [(200, TODAY), (201, TODAY + timedelta(days=1)), (310, date(2026, 3, 31)), (311, None), (10**9, None)],
)
def test_the_day_on_which_a_budget_will_be_used_up(amount, day):
    assert day_over(steady(10), amount, **SPAN) == day


def test_nobody_knows_the_day_without_any_history():
    assert day_over({TODAY: 5}, 10, **SPAN) is None
