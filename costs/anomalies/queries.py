"""Unusual days of what a scope holds, and what made them so."""

from dataclasses import dataclass
from datetime import date, timedelta

from costs.anomalies.rules import LOOK_BACK, Oddity, oddities
from costs.ledger.queries import Days, Scope, daily_totals, daily_totals_by
from costs.money import cents

NAMED = 3  # providers that are named for a day


@dataclass(frozen=True)
class Finding:
    """An unusual day, and by provider how much more (or less) it cost than the mean of the days before."""

    oddity: Oddity
    movers: list[tuple[str, int]]


def unusual_days(scope: Scope, *, since: date, until: date) -> list[Finding]:
    """Whole days from `since` through `until` that cost far from the usual, the newest first; two reads."""
    span = Days(since - timedelta(days=LOOK_BACK), until)
    days = {day: amount.total for day, amount in daily_totals(span, scope).items()}
    found = oddities(days, since=since, until=until)
    if not found:
        return []
    parts = {key: amount.total for key, amount in daily_totals_by("provider", span, scope).items()}
    return [Finding(one, movers(one, parts)) for one in found]


def movers(odd: Oddity, parts: dict[tuple[date, str], int]) -> list[tuple[str, int]]:
    """The providers that moved most on that day, against their mean of the days that it was compared with."""
    begin = odd.day - timedelta(days=LOOK_BACK)
    sums: dict[str, int] = {}
    for (day, provider), cost in parts.items():
        sums.setdefault(provider, 0)
        if begin <= day < odd.day:
            sums[provider] += cost
    moved = [(provider, parts.get((odd.day, provider), 0) - round(sums[provider] / odd.days)) for provider in sums]
    same_way = [(provider, more) for provider, more in moved if more and (more > 0) == (odd.more > 0)]
    return sorted(same_way, key=lambda pair: (-abs(pair[1]), pair[0]))[:NAMED]


def sentence(finding: Finding) -> str:
    """The day in words, with what moved it."""
    parts = [f"{provider} {cents(more):+,} USD" for provider, more in finding.movers]
    return finding.oddity.words + (f": {', '.join(parts)}" if parts else "")
