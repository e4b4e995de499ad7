"""Days that cost far more or less than the days before them: plain rules, no database.

In words: the usual cost of a day is the median of the 28 days before it, the usual distance is 1.4826 times the median
distance of those days from that median (which one odd day cannot move). A day is unusual when it is more than 3.5 usual
distances away, and also at least 5 % and 1 USD, so that a steady bill makes no noise. Seven known days are the least.
(Iglewicz and Hoaglin, How to Detect and Handle Outliers, 1993: the modified z-score and its limit of 3.5.)
"""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, timedelta
from statistics import median

from costs.money import MICROS, cents

LOOK_BACK, FEWEST = 28, 7
TO_SIGMA, LIMIT = 1.4826, 3.5
LEAST_SHARE, LEAST = 0.05, MICROS
WORDS = (
    f"A day is unusual when it is more than {LIMIT} usual distances away from the median of the {LOOK_BACK} days "
    "before it, and at least 5 % and 1 USD. The usual distance is 1.4826 times the median distance of those days "
    "from their median."
)


@dataclass(frozen=True)
class Oddity:
    """A day that cost `cost` where `usual` was to be expected; `spread` is the usual distance. All in micro-dollars."""

    day: date
    cost: int
    usual: int
    spread: int
    days: int

    @property
    def more(self) -> int:
        """How much more than usual; below 0 when less."""
        return self.cost - self.usual

    @property
    def words(self) -> str:
        side = "above" if self.more > 0 else "below"
        return (
            f"{cents(self.cost):,} USD, {cents(abs(self.more)):,} USD {side} the usual {cents(self.usual):,} USD "
            f"(median of the {self.days} days before; usual distance {cents(self.spread):,} USD)"
        )


def oddities(days: Mapping[date, int], *, since: date, until: date) -> list[Oddity]:
    """The unusual days among `days` (sums by UTC day) from `since` through `until`, the newest first.

    Days without any entry are left out of the comparison: nothing recorded is not "free".
    """
    found = [judged(day, days) for day in days if since <= day <= until]
    return sorted((one for one in found if one), key=lambda one: one.day, reverse=True)


def judged(day: date, days: Mapping[date, int]) -> Oddity | None:
    """The day, if it is unusual and enough days before it are known."""
    begin = day - timedelta(days=LOOK_BACK)
    before = [cost for known, cost in days.items() if begin <= known < day]
    if len(before) < FEWEST:
        return None
    usual = median(before)
    spread = TO_SIGMA * median(abs(cost - usual) for cost in before)
    limit = max(LIMIT * spread, LEAST_SHARE * usual, LEAST)
    if abs(days[day] - usual) <= limit:
        return None
    return Oddity(day, days[day], round(usual), round(spread), len(before))
