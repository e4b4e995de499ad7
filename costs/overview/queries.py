"""What the page of costs tells: the month, its days, what it is made of, what moved."""

from collections import defaultdict
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from typing import Any

from costs.ledger.models import PARTS
from costs.ledger.queries import Amount, Days, Scope, daily_totals, subject_totals, totals_by
from costs.money import MICROS
from costs.reports.queries import Group, breakdown, team_names

RANGES = {"month": "This month", "30": "30 days", "90": "90 days", "365": "365 days"}
GROUPINGS = {"provider": "Provider", "region": "Region", "team": "Team", "instance": "Instance"}
PART_WORDS = {"compute": "Compute", "storage": "Storage", "network": "Network", "llm": "LLM"}
MOST_GROUPS, MOST_MOVERS = 20, 6


def days_of(name: str, today: date) -> Days:
    """The days of a named range, today included."""
    first = today.replace(day=1) if name == "month" else today - timedelta(days=int(name) - 1)
    return Days(first, today)


def trend(points: dict[date, Amount], days: Days, marks: list[dict[str, Any]]) -> dict[str, Any]:
    """The data of the chart: the total of each day and its parts, those that cost anything. A gap: no entries."""
    names = ["total", *(part for part in PARTS if any(getattr(amount, part) for amount in points.values()))]
    words = {"total": "Total"} | PART_WORDS
    known = range(len(days))
    series = [
        {
            "label": words[name],
            "unit": "USD",
            "points": [
                [stamp(day), None if day not in points else getattr(points[day], name) / MICROS]
                for day in (days.first + timedelta(days=number) for number in known)
            ],
        }
        for name in names
    ]
    return {"series": series, "from": stamp(days.first), "to": stamp(days.last), "step": 86_400, "marks": marks}


def stamp(day: date) -> float:
    return datetime(day.year, day.month, day.day, tzinfo=UTC).timestamp()


@dataclass(frozen=True)
class Row:
    """A line of the breakdown; `filter` is what its entries are found by, "" where there is no such filter."""

    name: str
    amount: Amount
    filter: str


def rows(days: Days, scope: Scope, *, by: str) -> list[Row]:
    """The dearest groups by provider, region, team, instance or `label:<name>`; what is left over is the last line."""
    if by in ("provider", "region", "team"):
        found = _by_total(days, scope, by)
    else:
        key = "instance" if by == "instance" else ""
        found = [_of_group(group, key) for group in breakdown(days, scope, by=by)]
    if len(found) <= MOST_GROUPS:
        return found
    rest = sum((row.amount for row in found[MOST_GROUPS - 1 :]), Amount())
    return [*found[: MOST_GROUPS - 1], Row(f"{len(found) - MOST_GROUPS + 1} others", rest, "")]


def _by_total(days: Days, scope: Scope, by: str) -> list[Row]:
    sums = totals_by("team_id" if by == "team" else by, days, scope)
    names = team_names(sums) if by == "team" else {}
    return [Row(names.get(key) or key or "not set", amount, f"{by}={key or '-'}") for key, amount in sums.items()]


def _of_group(group: Group, key: str) -> Row:
    return Row(group.name, group.amount, f"{key}={group.key}" if key and group.key else "")


@dataclass(frozen=True)
class Mover:
    """An instance that cost more or less than in the same days of the month before, in micro-dollars."""

    instance_id: str
    name: str
    now: int
    before: int

    @property
    def more(self) -> int:
        return self.now - self.before


def same_days_before(today: date) -> tuple[Days, Days]:
    """The whole days of this month so far, and as many from the first of the month before (no more than it has)."""
    now = Days(today.replace(day=1), today - timedelta(days=1))
    first = (now.first - timedelta(days=1)).replace(day=1)
    return now, Days(first, min(first + timedelta(days=len(now) - 1), now.first - timedelta(days=1)))


def movers(scope: Scope, today: date) -> list[Mover]:
    """Those that moved most against the same days of last month, the largest move first."""
    now, before = same_days_before(today)
    if not len(now):
        return []
    sums: dict[str, list[int]] = defaultdict(lambda: [0, 0])
    names: dict[str, str] = {}
    for place, days in ((1, before), (0, now)):
        for instance_id, name, total in subject_totals(days, scope):
            sums[instance_id][place] += total
            names[instance_id] = name
    moved = [Mover(key, names[key], *both) for key, both in sums.items() if both[0] != both[1]]
    return sorted(moved, key=lambda one: (-abs(one.more), one.instance_id))[:MOST_MOVERS]


def points(days: Days, scope: Scope) -> dict[date, Amount]:
    return daily_totals(days, scope)
