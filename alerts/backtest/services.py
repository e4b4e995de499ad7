"""How often a rule would have fired over what is stored, before it is saved."""

import time
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any

from alerts.backtest.playing import Firing, play
from alerts.backtest.series import Course, course, read
from alerts.evaluation.readings import about, read_subjects
from alerts.rules.conditions import FIGURES
from alerts.rules.models import Rule, RuleType
from config import formats
from config.api.authentication import Principal
from fleet.instances.models import Instance

LENGTH = timedelta(days=7)
MOST_S = 5.0  # after which the rest of the instances is left out
MOST_INSTANCES = 5_000
MOST_FIRINGS = 200  # that are told one by one; all are counted
HOUR_S = 3600


@dataclass
class Backtest:
    """What a rule would have done. `judged` of `total` instances were looked at, by `basis`.

    `reason` says why a rule cannot be tried over the past, or what the figures leave out; `possible` whether it can.
    """

    since: datetime
    until: datetime
    possible: bool
    step_s: int = 0
    basis: str = ""
    total: int = 0
    judged: int = 0
    count: int = 0
    affected: int = 0
    firings: list[Firing] = field(default_factory=list)
    by_hour: list[tuple[int, int]] = field(default_factory=list)
    reason: str | None = None

    @property
    def complete(self) -> bool:
        return self.possible and self.judged == self.total


def backtest(rule: Rule, principal: Principal, *, now: datetime, most_s: float = MOST_S) -> Backtest:
    """Play an unsaved or a saved rule over the last 7 days of the instances that the person may see.

    Bounded: 200,000 rows and about five seconds; what is left out then is told.
    """
    since = now - LENGTH
    if reason := impossible(rule):
        return Backtest(since, now, possible=False, reason=reason)
    subjects = {one.id: one for one in about(rule, read_subjects(_instances(rule, principal), MOST_INSTANCES))}
    column, highest = _figure(rule)
    wanted = course(list(subjects), column, since=since, until=now, highest=highest)
    result = Backtest(since, now, True, wanted.step_s, wanted.basis, total=_instances(rule, principal).count())
    ends, firings = time.monotonic() + most_s, []
    for instance_id, points in read(wanted):
        if time.monotonic() > ends:
            break
        found = play(rule, subjects[instance_id], points, step_s=wanted.step_s, until=now)
        result.judged += 1
        result.affected += bool(found)
        firings += found
    result.count = len(firings)
    result.firings = sorted(firings, key=lambda firing: firing.fired_at, reverse=True)[:MOST_FIRINGS]
    result.by_hour = by_hour(firings, since, now)
    result.reason = _caveat(rule, wanted, result)
    return result


def impossible(rule: Rule) -> str | None:
    """Why nothing stored tells how the rule would have done."""
    if rule.type in (RuleType.SECURITY, RuleType.COST):
        return "What this rule looks at is not kept over time, so it cannot be tried over the past."
    if rule.type == RuleType.LIFECYCLE and rule.conditions["event"] != "heartbeat_lost":
        return "Statuses of the past are not kept, so this rule cannot be tried over them."
    return None


def by_hour(firings: list[Firing], since: datetime, until: datetime) -> list[tuple[int, int]]:
    """For each hour (its start in Unix seconds) how many alerts would have been open within it."""
    first, last = int(since.timestamp()) // HOUR_S, int(until.timestamp()) // HOUR_S
    changes = [0] * (last - first + 2)
    for firing in firings:
        changes[max(0, int(firing.fired_at.timestamp()) // HOUR_S - first)] += 1
        changes[int((firing.ended_at or until).timestamp()) // HOUR_S - first + 1] -= 1
    counts, open_now = [], 0
    for place, change in enumerate(changes[:-1]):
        open_now += change
        counts.append(((first + place) * HOUR_S, open_now))
    return counts


def chart_of(result: Backtest) -> dict[str, Any]:
    """For the chart: how many alerts would have been open, hour by hour."""
    series = {"label": "Alerts that would be open", "unit": "", "points": [list(one) for one in result.by_hour]}
    return {
        "series": [series],
        "from": result.since.timestamp(),
        "to": result.until.timestamp(),
        "step": HOUR_S,
    }


def _instances(rule: Rule, principal: Principal) -> Any:
    found = Instance.objects.visible_to(principal).existing()
    if rule.instance_id:
        return found.filter(pk=rule.instance_id)
    return found.filter(team_id=rule.team_id) if rule.team_id else found


def _figure(rule: Rule) -> tuple[str, bool]:
    """The column to read, and whether the highest of a step is what the rule would have seen."""
    if rule.type == RuleType.LIFECYCLE:
        return "cpu_pct", False  # only the moments count
    rising = rule.conditions.get("operator") in ("gt", "gte") and not rule.conditions.get("duration_sec")
    return FIGURES[rule.conditions["metric"]], rising


def _caveat(rule: Rule, wanted: Course, result: Backtest) -> str | None:
    said = []
    if result.judged < result.total:
        said.append(f"{result.total - result.judged} of {result.total} instances were left out to stay quick.")
    if rule.type == RuleType.LIFECYCLE:
        said.append("Machines that were stopped on purpose count as silent, and only heartbeats with figures are kept.")
        if wanted.step_s:
            said.append(f"Silences shorter than {formats.duration(wanted.step_s)} do not show.")
    return " ".join(said) or None
