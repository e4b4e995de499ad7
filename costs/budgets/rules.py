"""What a budget's figures mean: plain rules, no database (contract: fleet console §16)."""

from calendar import monthrange
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, timedelta
from decimal import Decimal

from costs.budgets.models import Period
from costs.money import percent


def begin_of(period: str, today: date) -> date:
    """The first day (UTC) of the period that holds `today`. Weeks begin on Sunday."""
    if period == Period.DAILY:
        return today
    if period == Period.WEEKLY:
        return today - timedelta(days=today.isoweekday() % 7)
    return today.replace(day=1)


def end_of(period: str, today: date) -> date:
    """The last day of that period."""
    begin = begin_of(period, today)
    if period == Period.MONTHLY:
        return begin.replace(day=monthrange(begin.year, begin.month)[1])
    return begin + timedelta(days=6 if period == Period.WEEKLY else 0)


@dataclass(frozen=True)
class Fill:
    """How full a budget is. `spent` and `amount` in micro-dollars, `threshold` a share of the amount."""

    spent: int
    amount: int
    threshold: float

    @property
    def status(self) -> str:
        """`exceeded`, `warning` from the threshold on, else `ok`."""
        if self.spent >= self.amount:
            return "exceeded"
        return "warning" if self.crossed else "ok"

    @property
    def crossed(self) -> bool:
        """Whether people are to be told."""
        return self.spent >= self.amount * Decimal(str(self.threshold))

    @property
    def percent(self) -> float:
        """Spent of the amount, 2 decimals."""
        return percent(self.spent, self.amount)

    @property
    def left(self) -> int:
        """What may still be spent, never below 0."""
        return max(0, self.amount - self.spent)


def first_day_over(days: Mapping[date, int], amount: int) -> date | None:
    """The day on which the sum of `days`, in order, reached the amount; None when it never did."""
    total = 0
    for day in sorted(days):
        total += days[day]
        if total >= amount:
            return day
    return None
