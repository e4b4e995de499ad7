"""What a month will have cost at its end, for whatever a scope holds."""

from datetime import date, datetime, timedelta

from costs.budgets.models import Period
from costs.budgets.rules import begin_of, end_of
from costs.forecast.rules import LOOK_BACK, Forecast, forecast
from costs.ledger.queries import Days, Scope, daily_totals


def of_month(scope: Scope, now: datetime) -> Forecast | None:
    """The forecast to the end of this month (UTC); None when no whole day is known yet."""
    today = now.date()
    begin, until = begin_of(Period.MONTHLY, today), end_of(Period.MONTHLY, today)
    return forecast(daily(scope, begin, today), begin=begin, until=until, today=today)


def daily(scope: Scope, begin: date, today: date) -> dict[date, int]:
    """Micro-dollars by day from `begin` on, and as far back as the usual day is told from."""
    days = Days(min(begin, today - timedelta(days=LOOK_BACK)), today)
    return {day: amount.total for day, amount in daily_totals(days, scope).items()}
