"""How many lines there are: from the counts by the hour, and from lines where an hour is cut (contract §8)."""

from collections import Counter
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from typing import Any

from django.utils import timezone

from config.api.authentication import Principal
from config.timeseries import bucketed, count, group, rows_of
from config.timeseries import total as summed
from fleet.logs.entries import EPOCH, MILLISECOND
from fleet.logs.models import COUNTS, ENTRIES, Level, Source
from fleet.logs.queries import Filters, scope

HOUR = timedelta(hours=1)
END = datetime(2100, 1, 1, tzinfo=UTC)
MOST_TOP = 20


@dataclass(frozen=True)
class Tally:
    """Lines by instance, level and source."""

    counts: Counter[tuple[str, Level, Source]]

    @property
    def total(self) -> int:
        return self.counts.total()

    def by(self, place: int) -> Counter[Any]:
        """Sums by the instance (0), the level (1) or the source (2)."""
        sums: Counter[Any] = Counter()
        for key, number in self.counts.items():
            sums[key[place]] += number
        return sums


def tally(filters: Filters, principal: Principal | None) -> Tally:
    """Count the lines that pass; words and deployments are not looked at."""
    counts: Counter[tuple[str, Level, Source]] = Counter()
    for one, level, source, number in _rows(filters, principal, ("instance_id", "level", "source")):
        counts[one, Level(level), Source(source)] += int(number)
    return Tally(counts)


def total(filters: Filters, principal: Principal | None) -> int:
    """How many lines pass, for a list that shows only that."""
    return sum(int(number or 0) for (number,) in _rows(filters, principal, ()))


def _rows(filters: Filters, principal: Principal | None, groups: tuple[str, ...]) -> list[tuple]:
    """The groups' values and how many lines they have, one row or several for each group."""
    since, until = filters.since or EPOCH, (filters.until + MILLISECOND if filters.until else END)
    first, last = _hour(since + HOUR - timedelta(microseconds=1)), _hour(until)
    if first >= last:
        parts = [(ENTRIES, count(), since, until)]
    else:
        parts = [(ENTRIES, count(), since, first), (COUNTS, summed("n"), first, last), (ENTRIES, count(), last, until)]
    where, found = scope(filters, principal), []
    for table, column, start, end in parts:
        if start < end:
            columns = {name: group(name) for name in groups} | {"n": column}
            found += rows_of(bucketed(table, columns, since=start, until=end, where=where))
    return found


def of_fleet(filters: Filters, principal: Principal | None) -> dict[str, Any]:
    """FleetLogStats."""
    found = tally(filters, principal)
    levels, errors = found.by(1), {one for (one, level, _), n in found.counts.items() if level == Level.ERROR and n}
    return _common(found) | {
        "topInstances": [{"instanceId": one, "count": n} for one, n in found.by(0).most_common(MOST_TOP)],
        "totalLogs": found.total,
        "totalErrors": levels[Level.ERROR],
        "totalWarns": levels[Level.WARN],
        "instancesWithErrors": len(errors),
    }


def of_instance(filters: Filters, principal: Principal | None, *, now: datetime | None = None) -> dict[str, Any]:
    """LogStats of `filters.instance_id`."""
    found = tally(filters, principal)
    levels = found.by(1)
    lately = replace(filters, since=(now or timezone.now()) - HOUR, until=None, levels=(Level.ERROR,))
    return (
        {"instanceId": filters.instance_id}
        | _common(found)
        | {
            "errorRate": levels[Level.ERROR] / found.total if found.total else 0.0,
            "warnRate": levels[Level.WARN] / found.total if found.total else 0.0,
            "recentErrors": total(lately, principal),
        }
    )


def _common(found: Tally) -> dict[str, Any]:
    levels, sources = found.by(1), found.by(2)
    return {
        "total": found.total,
        "byLevel": {level.name: levels[level] for level in Level},
        "bySource": {source.name: sources[source] for source in Source},
    }


def _hour(at: datetime) -> datetime:
    return at.astimezone(UTC).replace(minute=0, second=0, microsecond=0)
