"""What the days to come will cost: plain rules, no database. Amounts are micro-dollars.

In words: each day that is still to come, and today at least, costs what the last 14 whole days cost on average. The
range is wide enough to hold four of five such sums if days go on to differ as they did: it grows with the days to
come, and with how little is known of the mean. Fewer than 3 whole days make no range, none at all no forecast.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, timedelta
from math import sqrt
from statistics import fmean, stdev

LOOK_BACK = 14  # whole days
FEWEST_FOR_RANGE = 3
# Student's t for 80 % (10 % on each side) by degrees of freedom.
T_80 = {2: 1.886, 3: 1.638, 4: 1.533, 5: 1.476, 6: 1.440, 7: 1.415, 8: 1.397, 9: 1.383, 10: 1.372}
T_80 |= {11: 1.363, 12: 1.356, 13: 1.350}
WORDS = (
    f"Spent so far, and for each day to come the mean of the last {LOOK_BACK} whole days (fewer if there are fewer). "
    "The range holds four of five outcomes if days go on to differ as they did. A change of the fleet is not foreseen."
)


@dataclass(frozen=True)
class Typical:
    """What a day costs: the mean of `days` whole days and their standard deviation (None for too few)."""

    mean: float
    spread: float | None
    days: int

    def band(self, ahead: int) -> float | None:
        """How far the sum of `ahead` days may be from `ahead` means, each way."""
        if self.spread is None:
            return None
        return T_80[self.days - 1] * self.spread * sqrt(ahead + ahead * ahead / self.days)


@dataclass(frozen=True)
class Forecast:
    """The sum at the end of `until`: `expected`, between `low` and `high` (None without a range)."""

    until: date
    spent: int
    expected: int
    low: int | None
    high: int | None
    days_ahead: int
    typical: Typical


def typical(days: Mapping[date, int], today: date) -> Typical | None:
    """Of the whole days just before `today`; None when none is known.

    A day without entries among known ones cost nothing; what lies before the first known day is not counted.
    """
    if not any(today - timedelta(days=LOOK_BACK) <= day < today for day in days):
        return None
    begin = max(min(days), today - timedelta(days=LOOK_BACK))
    costs = [float(days.get(begin + timedelta(days=number), 0)) for number in range((today - begin).days)]
    spread = stdev(costs) if len(costs) >= FEWEST_FOR_RANGE else None
    return Typical(fmean(costs), spread, len(costs))


def forecast(days: Mapping[date, int], *, begin: date, until: date, today: date) -> Forecast | None:
    """The sum from `begin` until the end of `until`; None when no whole day before today is known.

    `days` are sums by UTC day. Today is not over: it ends at the usual cost, or above when it is there already.
    """
    usual = typical(days, today)
    if usual is None:
        return None
    so_far = days.get(today, 0)
    spent = sum(cost for day, cost in days.items() if begin <= day < today) + so_far
    rest = max(0.0, usual.mean - so_far)  # of today
    ahead = (until - today).days
    expected, band = spent + rest + ahead * usual.mean, usual.band(ahead + 1)
    low = None if band is None else max(spent, round(expected - band))
    high = None if band is None else round(expected + band)
    return Forecast(until, spent, round(expected), low, high, ahead, usual)


def day_over(days: Mapping[date, int], amount: int, *, begin: date, until: date, today: date) -> date | None:
    """The day, today or later, at whose end the sum since `begin` will have reached the amount at the usual pace.

    None when that is after `until`, or when no whole day before today is known.
    """
    usual = typical(days, today)
    if usual is None:
        return None
    day = today
    total = sum(cost for day, cost in days.items() if begin <= day < today) + max(days.get(today, 0), usual.mean)
    while total < amount and day < until:
        day += timedelta(days=1)
        total += usual.mean
    return day if total >= amount else None
