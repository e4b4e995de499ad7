"""How amounts are written on pages. `{% load money %}`"""

from decimal import Decimal

from django import template

from config.formats import UNKNOWN
from costs.money import cents
from costs.money import usd as exact

register = template.Library()


@register.filter
def usd(micros: int | None) -> str:
    """Micro-dollars as USD; cents below 100 only."""
    if micros is None:
        return UNKNOWN
    amount = cents(int(micros))
    return f"{amount:,} USD" if abs(amount) < 100 else f"{round(amount):,} USD"


@register.filter
def usd_cents(micros: int | None) -> str:
    """Micro-dollars as USD with cents, where parts are to be added up by the reader."""
    return UNKNOWN if micros is None else f"{cents(int(micros)):,} USD"


@register.filter
def usd_exact(micros: int | None) -> str:
    """Micro-dollars as USD to the last digit, where a sum of parts is shown."""
    return UNKNOWN if micros is None else f"{exact(int(micros)).normalize():,f} USD"


@register.filter
def dollars(amount: Decimal) -> str:
    """USD (not micro-dollars) with cents."""
    return f"{cents(amount):,} USD"
