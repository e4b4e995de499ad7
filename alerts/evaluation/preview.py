"""What a rule would do at this moment, for the person who writes it."""

from dataclasses import dataclass
from datetime import datetime

from alerts.evaluation.judging import readings
from alerts.evaluation.models import Verdict
from alerts.evaluation.readings import read_subjects
from alerts.evaluation.sources import notice
from alerts.rules.models import Rule
from config.api.authentication import Principal
from fleet.instances.models import Instance

MOST = 5_000  # instances that are looked at


@dataclass(frozen=True)
class Preview:
    """Names of what the rule would fire for now, how many were judged, of how many the limit is broken but not long
    enough, of how many nothing is known, and why the rule can find nothing at all, if so."""

    names: list[str]
    judged: int
    pending: int
    unknown: int
    notice: str | None


def preview(rule: Rule, principal: Principal, now: datetime) -> Preview:
    """Judge an unsaved rule, durations included, over the instances that the person may see."""
    found = Instance.objects.visible_to(principal).existing()
    if rule.instance_id:
        found = found.filter(pk=rule.instance_id)
    elif rule.team_id:
        found = found.filter(team_id=rule.team_id)
    subjects = read_subjects(found, MOST)
    by_verdict: dict[str, list[str]] = {}
    for reading in readings([rule], subjects, now):
        by_verdict.setdefault(reading.verdict, []).append(reading.subject.name)
    return Preview(
        names=sorted(by_verdict.get(Verdict.TRUE, [])),
        judged=sum(map(len, by_verdict.values())),
        pending=len(by_verdict.get(Verdict.PENDING, [])),
        unknown=len(by_verdict.get(Verdict.STALE, [])) + len(by_verdict.get(Verdict.NO_DATA, [])),
        notice=notice(rule),
    )
