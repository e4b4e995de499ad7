"""How fast an objective spends its error budget: plain rules, no database.

The windows and factors are those of Google's Site Reliability Workbook, chapter 5, "Multiwindow, Multi-Burn-Rate
Alerts". A factor of 1 spends exactly the whole budget in the whole window.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import timedelta

from alerts.incidents.models import Severity

FEWEST_BAD = 3  # one bad check of few is no trend
FIVE_MINUTES, HALF_HOUR, HOUR = timedelta(minutes=5), timedelta(minutes=30), timedelta(hours=1)
SIX_HOURS, THREE_DAYS = timedelta(hours=6), timedelta(days=3)
WINDOWS = (FIVE_MINUTES, HALF_HOUR, HOUR, SIX_HOURS, THREE_DAYS)


@dataclass(frozen=True)
class Share:
    """Events that ended within some time, and how many of them were good."""

    good: int = 0
    total: int = 0

    @property
    def bad(self) -> int:
        return self.total - self.good

    @property
    def counted(self) -> int:
        """The name under which bars of days know `total`."""
        return self.total

    @property
    def percent(self) -> float | None:
        """Of good events; None when there were none."""
        return 100 * self.good / self.total if self.total else None

    def __add__(self, other: "Share") -> "Share":
        return Share(self.good + other.good, self.total + other.total)


@dataclass(frozen=True)
class Pair:
    """It burns when both windows burn `factor` times too fast: the long one shows that it matters, the short one that
    it goes on."""

    long: timedelta
    short: timedelta
    factor: float
    severity: str


PAIRS = (  # the worst first
    Pair(HOUR, FIVE_MINUTES, 14.4, Severity.CRITICAL),
    Pair(SIX_HOURS, HALF_HOUR, 6, Severity.HIGH),
    Pair(THREE_DAYS, SIX_HOURS, 1, Severity.MEDIUM),
)


def rate(share: Share, allowed: float) -> float | None:
    """How many times faster than allowed the budget is spent; None without events."""
    return share.bad / share.total / allowed if share.total else None


def burning(shares: Mapping[timedelta, Share], allowed: float) -> Pair | None:
    """The worst pair that burns; None when all is well, or too little is known."""
    for pair in PAIRS:
        long, short = rate(shares[pair.long], allowed), rate(shares[pair.short], allowed)
        enough = shares[pair.long].bad >= FEWEST_BAD
        if enough and long is not None and short is not None and min(long, short) >= pair.factor:
            return pair
    return None


def left(spent: Share, allowed: float) -> float:
    """The part of the budget that is left, 1 at most; below 0 when more was spent than there was."""
    return 1 - spent.bad / (spent.total * allowed) if spent.total else 1.0
