"""Reads of objectives: what is left of their budgets, how fast they burn, and what spent them."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta

from django.db.models import Q, QuerySet, Sum

from alerts.objectives.burning import HOUR, WINDOWS, Pair, Share, burning, left, rate
from alerts.objectives.models import Objective, Tally
from alerts.objectives.tallying import DAY_S, SLOT_S, slot


@dataclass(frozen=True)
class Standing:
    """How an objective stands: each UTC day of its window in order, with today, and the last hours and days."""

    objective: Objective
    days: dict[date, Share]
    recent: dict[timedelta, Share]

    @property
    def whole(self) -> Share:
        return sum(self.days.values(), Share())

    @property
    def left(self) -> float | None:
        """The part of the budget that is left, at most 1; None while nothing is counted."""
        return left(self.whole, self.objective.allowed) if self.whole.total else None

    @property
    def left_percent(self) -> float | None:
        return None if self.left is None else 100 * self.left

    @property
    def left_s(self) -> float | None:
        """The time of total failure that would use up what is left, in seconds; 0 when nothing is."""
        if self.left is None:
            return None
        return max(0.0, self.left) * self.objective.allowed * self.objective.window_days * 86_400

    @property
    def rates(self) -> dict[timedelta, float | None]:
        """For each window, how many times faster than allowed the budget is spent."""
        return {window: rate(share, self.objective.allowed) for window, share in self.recent.items()}

    @property
    def hour_rate(self) -> float | None:
        return self.rates[HOUR]

    @property
    def pair(self) -> Pair | None:
        return burning(self.recent, self.objective.allowed)

    @property
    def worst_days(self) -> list[tuple[date, Share]]:
        """The days that spent most, at most five."""
        spent = [(day, share) for day, share in self.days.items() if share.bad]
        return sorted(spent, key=lambda one: (-one[1].bad, one[0]))[:5]


def objectives() -> QuerySet[Objective]:
    return Objective.objects.by_name().select_related("monitor").prefetch_related("channels")


def standings(found: Sequence[Objective], now: datetime) -> list[Standing]:
    """Two queries, whatever their number."""
    keys = [objective.pk for objective in found]
    recent, days = _recent(keys, now), _days(found, keys, now)
    return [Standing(objective, days[objective.pk], recent[objective.pk]) for objective in found]


def tightest(now: datetime) -> Standing | None:
    """The objective with the least budget left, of those of which something is counted."""
    known = [one for one in standings(list(objectives().filter(enabled=True)[:200]), now) if one.left is not None]
    return min(known, key=lambda one: (one.left, one.objective.pk), default=None)


def _recent(keys: list[str], now: datetime) -> dict[str, dict[timedelta, Share]]:
    """A window begins with the slot that its first moment is in, so it may be up to five minutes longer."""
    begins = {window: slot(now - window, SLOT_S) for window in WINDOWS}
    sums = {
        f"{part}_{number}": Sum(part, filter=Q(at__gte=begins[window]), default=0)
        for number, window in enumerate(WINDOWS)
        for part in ("good", "total")
    }
    found = {key: dict.fromkeys(WINDOWS, Share()) for key in keys}
    rows = Tally.objects.filter(objective__in=keys, span_s=SLOT_S, at__gte=min(begins.values()))
    for key, *parts in rows.order_by().values_list("objective").annotate(**sums):
        for number, window in enumerate(WINDOWS):
            found[key][window] = Share(*parts[2 * number : 2 * number + 2])
    return found


def _days(objectives: Sequence[Objective], keys: list[str], now: datetime) -> dict[str, dict[date, Share]]:
    today, found = slot(now, DAY_S), {}
    for objective in objectives:
        first = today - timedelta(days=objective.window_days - 1)
        found[objective.pk] = {
            (first + timedelta(days=number)).date(): Share() for number in range(objective.window_days)
        }
    for row in Tally.objects.filter(objective__in=keys, span_s=DAY_S, at__gte=today - timedelta(days=90)):
        if row.at.date() in found[row.objective_id]:
            found[row.objective_id][row.at.date()] = Share(row.good, row.total)
    return found
