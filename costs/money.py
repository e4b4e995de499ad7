"""Money: whole micro-dollars (millionths of a USD) inside, so that sums are exact on every database.

The one rounding rule: an amount is rounded half away from zero, to a micro-dollar when it is computed from a price, and
to a cent when it is shown (contract: fleet console §1.5). Nothing is ever added up from rounded figures: a total is the
sum of micro-dollars, then rounded.
"""

from decimal import ROUND_HALF_UP, Decimal

MICROS = 1_000_000
MICROS_A_CENT = 10_000
CENT = Decimal("0.01")
DAYS_A_MONTH = 30  # a month's price buys thirty days (contract: fleet console §15)
DAY_S = 86_400
MONTH_S = DAYS_A_MONTH * DAY_S


def micros(usd: Decimal) -> int:
    """Micro-dollars of an amount in USD."""
    return int((usd * MICROS).quantize(Decimal(1), ROUND_HALF_UP))


def usd(amount: int) -> Decimal:
    """USD of micro-dollars, exact."""
    return Decimal(amount) / MICROS


def cents(amount: int | Decimal) -> Decimal:
    """USD with two decimals, of micro-dollars (int) or of USD (Decimal)."""
    return (usd(amount) if isinstance(amount, int) else amount).quantize(CENT, ROUND_HALF_UP)


def wire(amount: int | Decimal) -> float:
    """The number that answers carry: USD with two decimals."""
    if isinstance(amount, Decimal):
        return float(cents(amount))
    whole = (abs(amount) + MICROS_A_CENT // 2) // MICROS_A_CENT  # as `cents`; answers hold tens of thousands of them
    return (whole if amount >= 0 else -whole) / 100


def share(monthly: int, seconds: int) -> int:
    """What `seconds` of a thing cost that costs `monthly` micro-dollars a month."""
    return int((Decimal(monthly) * seconds / MONTH_S).quantize(Decimal(1), ROUND_HALF_UP))


def percent(part: int, whole: int) -> float:
    """Percent with two decimals; 0 of nothing."""
    return float((Decimal(100 * part) / whole).quantize(CENT, ROUND_HALF_UP)) if whole else 0.0
