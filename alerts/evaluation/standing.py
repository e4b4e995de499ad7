"""What a rule finds for each of its instances right now, beside what is remembered of them."""

from dataclasses import dataclass
from datetime import datetime

from alerts.evaluation.judging import readings
from alerts.evaluation.models import RuleState, Verdict
from alerts.evaluation.readings import read_subjects
from alerts.rules.models import Rule
from config.api.authentication import Principal
from fleet.instances.models import Instance

MOST = 5_000  # instances that are looked at
RANK = [Verdict.TRUE, Verdict.PENDING, Verdict.STALE, Verdict.NO_DATA, Verdict.FALSE]


@dataclass(frozen=True)
class Standing:
    """`subject_id` is an instance's, or "fleet". `since_at` is None for what was never anything but not true."""

    subject_id: str
    name: str
    verdict: Verdict
    value: float | None
    since_at: datetime | None
    history: str
    alert_id: str | None

    @property
    def trues(self) -> int:
        """How many of the remembered looks found it true."""
        return self.history.count("1")

    @property
    def is_fleet(self) -> bool:
        return self.subject_id == "fleet"


def standings(rule: Rule, principal: Principal, now: datetime) -> list[Standing]:
    """One for each instance that the rule looks at and the person may see; the worst first, then by name.

    The value is of this moment; the verdict is that of the last look, which counts in durations, N of M and the
    clear threshold, and for what no look has found yet that of this moment.
    """
    subjects = read_subjects(Instance.objects.visible_to(principal).existing(), MOST)
    known = {state.subject_id: state for state in RuleState.objects.filter(rule=rule)} if rule.enabled else {}
    alerts = {key.partition(":")[2]: pk for key, pk in rule.alerts.open().values_list("dedupe_key", "pk")}
    found = []
    for reading in readings([rule], subjects, now):
        state, subject = known.get(reading.subject.id), reading.subject
        found.append(
            Standing(
                subject.id,
                subject.name,
                Verdict(state.verdict) if state else Verdict(reading.verdict),
                reading.value,
                state.since_at if state else None,
                state.history if state else "",
                alerts.get(subject.id),
            )
        )
    return sorted(found, key=lambda one: (RANK.index(one.verdict), one.name, one.subject_id))
