"""What a rule would do at this moment, for the person who writes it."""

from dataclasses import dataclass
from datetime import datetime

from alerts.evaluation.verdicts import Subject, judge
from alerts.rules.models import Rule
from config.api.authentication import Principal
from fleet.instances.models import Instance

MOST = 5_000  # instances that are looked at


@dataclass(frozen=True)
class Preview:
    """Names of the instances that break the limit now, how many were judged, and of how many nothing is known."""

    names: list[str]
    judged: int
    unknown: int


def preview(rule: Rule, principal: Principal, now: datetime) -> Preview:
    """Judge an unsaved rule over the instances that the person may see; its duration is not waited for."""
    found = Instance.objects.visible_to(principal).existing().order_by("name", "pk")
    if rule.instance_id:
        found = found.filter(pk=rule.instance_id)
    names, unknown, judged = [], 0, 0
    for row in found.values_list(*Subject.__annotations__)[:MOST]:
        subject = Subject(*row)
        verdict, judged = judge(rule, subject, now), judged + 1
        if verdict.holds:
            names.append(subject.name)
        unknown += verdict.holds is None
    return Preview(names, judged, unknown)
