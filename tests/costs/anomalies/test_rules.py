"""Days that cost far from the usual."""

from costs.anomalies.rules import oddities
from costs.money import MICROS
from tests.costs.spending import TODAY, ago


def found(costs: list[float], *, last: float):
    """What is odd about yesterday, when the days before it cost this (the newest first)."""
    days = {ago(back): round(usd * MICROS) for back, usd in enumerate(costs, start=2)}
    return oddities(days | {ago(1): round(last * MICROS)}, since=ago(1), until=TODAY)


def test_a_steady_bill_makes_no_noise():
    assert not found([20] * 28, last=20.9), "within 5 % and 1 USD"
    assert not found([0.5] * 28, last=1.4), "within 1 USD"
    (odd,) = found([20] * 28, last=21.5)
    assert odd.more == 1_500_000 and odd.day == ago(1)


def test_what_varies_may_vary():
    costs = [20, 24, 22, 18, 26, 21, 23] * 4
    assert not found(costs, last=29)
    (odd,) = found(costs, last=34)
    assert (odd.usual, odd.spread) == (22_000_000, 2_965_200)
    assert odd.words.startswith("34.00 USD, 12.00 USD above the usual 22.00 USD (median of the 28 days before;")


def test_one_odd_day_before_hides_nothing():
    assert found([20] * 13 + [400] + [20] * 14, last=40)


def test_a_fall_is_told_too():
    (odd,) = found([20] * 10, last=2)
    assert odd.more == -18_000_000 and "18.00 USD below the usual 20.00 USD" in odd.words


def test_six_days_are_too_few_to_know_what_is_usual():
    assert not found([20] * 6, last=400) and found([20] * 7, last=400)
