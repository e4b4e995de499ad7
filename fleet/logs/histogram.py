"""How many lines of each level came when: the bars above a list of lines."""

from collections import Counter
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta

from config.api.authentication import Principal
from config.timeseries import Query, bucket, bucketed, count, group, rows_of
from config.timeseries import total as summed
from fleet.logs.entries import EPOCH
from fleet.logs.models import COUNTS, ENTRIES, Level
from fleet.logs.queries import MOST_COUNTED, Filters, lines, scope

MOST_BARS = 72
HOUR_S = 3600
STEPS_S = (1, 5, 15, 60, 300, 900, HOUR_S, 3 * HOUR_S, 6 * HOUR_S, 24 * HOUR_S, 7 * 24 * HOUR_S)


@dataclass(frozen=True)
class Bar:
    """The lines of `since <= time < until` by level."""

    since: datetime
    until: datetime
    counts: Counter[Level]


@dataclass(frozen=True)
class Histogram:
    """Bars without a gap in order of time. When not `complete` it holds the newest 10,000 of the lines that match."""

    bars: list[Bar]
    step_s: int
    complete: bool

    @property
    def by_level(self) -> Counter[Level]:
        sums: Counter[Level] = Counter()
        for bar in self.bars:
            sums += bar.counts
        return sums

    @property
    def total(self) -> int:
        return self.by_level.total()

    @property
    def highest(self) -> int:
        """Lines in the fullest bar."""
        return max((bar.counts.total() for bar in self.bars), default=0)


def step_of(length: timedelta) -> int:
    """Seconds a bar: the shortest step with which the bars are not too many."""
    return next((step for step in STEPS_S if length.total_seconds() / step <= MOST_BARS), STEPS_S[-1])


def histogram(filters: Filters, principal: Principal | None, *, since: datetime, until: datetime) -> Histogram:
    """Count the lines that pass in bars from before `since` to after `until`.

    Bars of whole hours come from the counts by the hour, unless words or a deployment are asked for.
    """
    step_s = step_of(until - since)
    step = timedelta(seconds=step_s)
    start, end = EPOCH + (since - EPOCH) // step * step, EPOCH + ((until - EPOCH) // step + 1) * step
    columns = {"at": bucket(step_s), "level": group("level"), "n": count()}
    counts: dict[datetime, Counter[Level]] = {}
    if sampled := bool(filters.search or filters.phrases or filters.deployment_id):
        sought = lines(replace(filters, since=start, until=None), principal)
        newest = (
            f"SELECT ts, level FROM {ENTRIES.name} WHERE {sought.sql} AND ts < %s "  # noqa: S608
            f"ORDER BY ts DESC, id DESC LIMIT {MOST_COUNTED + 1}"
        )
        query = bucketed(Query(newest, [*sought.params, end]), columns, since=start, until=end)
    elif step_s % HOUR_S:
        query = bucketed(ENTRIES, columns, since=start, until=end, where=scope(filters, principal))
    else:
        columns["n"] = summed("n")
        query = bucketed(COUNTS, columns, since=start, until=end, where=scope(filters, principal))
    for at, level, number in rows_of(query, times=[0]):
        counts.setdefault(at.astimezone(UTC), Counter())[Level(level)] = int(number)
    complete = not sampled or sum(one.total() for one in counts.values()) <= MOST_COUNTED
    moments = [start + number * step for number in range((end - start) // step)]
    return Histogram([Bar(at, at + step, counts.get(at, Counter())) for at in moments], step_s, complete)
