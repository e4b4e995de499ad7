"""Periods, how full a budget is, and when it is used up."""

from datetime import date

import pytest

from costs.budgets.rules import Fill, begin_of, end_of, first_day_over
from costs.money import MICROS


@pytest.mark.parametrize(
    ("period", "today", "begin", "end"),
    [
        ("DAILY", date(2026, 3, 20), date(2026, 3, 20), date(2026, 3, 20)),
        ("WEEKLY", date(2026, 3, 20), date(2026, 3, 15), date(2026, 3, 21)),
        ("WEEKLY", date(2026, 3, 15), date(2026, 3, 15), date(2026, 3, 21)),  # a Sunday begins its week
        ("WEEKLY", date(2026, 3, 14), date(2026, 3, 8), date(2026, 3, 14)),
        ("MONTHLY", date(2026, 2, 28), date(2026, 2, 1), date(2026, 2, 28)),
        ("MONTHLY", date(2028, 2, 1), date(2028, 2, 1), date(2028, 2, 29)),
        ("MONTHLY", date(2026, 12, 31), date(2026, 12, 1), date(2026, 12, 31)),
    ],
)
def test_periods_begin_in_utc_and_weeks_on_sunday(period, today, begin, end):
    assert (begin_of(period, today), end_of(period, today)) == (begin, end)


@pytest.mark.parametrize(
    ("spent", "threshold", "status", "percent", "left"),
    [
        (0, 0.8, "ok", 0, 100),
        (79.999999, 0.8, "ok", 80.0, 20.000001),
        (80, 0.8, "warning", 80.0, 20),
        (99.994, 0.8, "warning", 99.99, 0.006),
        (99.995, 0.8, "warning", 100.0, 0.005),
        (100, 0.8, "exceeded", 100.0, 0),
        (250.5, 0.8, "exceeded", 250.5, 0),
        (99.99, 1, "ok", 99.99, 0.01),
        (1, 0.01, "warning", 1.0, 99),
    ],
)
def test_a_budget_of_100(spent, threshold, status, percent, left):
    fill = Fill(round(spent * MICROS), 100 * MICROS, threshold)
    assert (fill.status, fill.percent, fill.left) == (status, percent, round(left * MICROS))


def test_the_day_on_which_it_was_used_up():
    days = {date(2026, 3, day): 10 for day in (3, 1, 2)}
    assert first_day_over(days, 20) == date(2026, 3, 2)
    assert first_day_over(days, 31) is None
