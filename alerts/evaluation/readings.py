"""What a pass makes of what it reads: instances as rules see them, and one reading for each rule and instance."""

from collections.abc import Iterable, Mapping
from datetime import datetime, timedelta
from typing import Any, NamedTuple

from alerts.evaluation.models import FLEET, Verdict
from alerts.rules.models import Rule, RuleType
from fleet.instances.models import InstanceQuerySet, Status

STALE_AFTER = timedelta(minutes=5)
# Of an instance with one of these nothing is to be expected, so that missing data is no news.
AT_REST = (Status.STOPPED, Status.SUSPENDED, Status.DEPLOYING, Status.DESTROYING, Status.DESTROYED)


class Subject(NamedTuple):
    """What a rule is judged by: an instance as its row tells it."""

    id: str
    name: str
    status: str
    team_id: str | None
    created_at: datetime
    last_seen_at: datetime | None
    last_sample: dict[str, Any] | None

    @property
    def is_fleet(self) -> bool:
        return self.id == FLEET


WHOLE_FLEET = Subject(FLEET, "the fleet", Status.RUNNING, None, datetime.min, None, None)
Subjects = Mapping[str, Subject]


class Reading(NamedTuple):
    """What a rule finds for one subject at one moment. `detail` is what the alert's text tells beyond the value, `at`
    the time of the sample that was judged.

    `expected` False: data is missing and that is no news, so it cannot fire a rule that alerts on missing data.
    """

    rule: Rule
    subject: Subject
    verdict: Verdict
    value: float | None = None
    detail: Any = None
    expected: bool = True
    at: datetime | None = None

    @property
    def key(self) -> tuple[str, str]:
        return self.rule.pk, self.subject.id


def read_subjects(instances: InstanceQuerySet, most: int | None = None) -> dict[str, Subject]:
    """The instances by id, in one read; at most so many."""
    rows = instances.order_by("pk").values_list(*Subject._fields)[:most]
    return {row[0]: Subject(*row) for row in rows.iterator(chunk_size=2000)}


def about(rule: Rule, subjects: Subjects) -> Iterable[Subject]:
    """The subjects that a rule looks at. Money of no instance and no team is that of the whole fleet."""
    if rule.instance_id is not None:
        found = subjects.get(rule.instance_id)
        return [found] if found else []
    if rule.team_id is not None:
        return [subject for subject in subjects.values() if subject.team_id == rule.team_id]
    if rule.type == RuleType.COST:
        return [WHOLE_FLEET]
    return subjects.values()


class Newest:
    """The newest samples of all subjects, each column taken out once however many rules ask for it."""

    def __init__(self, subjects: Subjects, now: datetime) -> None:
        self._columns: dict[str, dict[str, tuple[float | None, Verdict | None, datetime | None]]] = {}
        self._subjects, self._now = subjects, now

    def column(self, name: str) -> dict[str, tuple[float | None, Verdict | None, datetime | None]]:
        """By subject the value, why there is none to judge by, and the sample's time."""
        if name not in self._columns:
            self._columns[name] = {key: self._value(subject, name) for key, subject in self._subjects.items()}
        return self._columns[name]

    def _value(self, subject: Subject, name: str) -> tuple[float | None, Verdict | None, datetime | None]:
        sample = subject.last_sample or {}
        value, at = sample.get(name), sample.get("at")
        if value is None or at is None:
            return None, Verdict.NO_DATA, None
        moment = datetime.fromisoformat(at)
        return value, Verdict.STALE if self._now - moment > STALE_AFTER else None, moment


def missing(rule: Rule, subject: Subject, verdict: Verdict, value: float | None = None) -> Reading:
    """A reading without anything to judge by."""
    return Reading(rule, subject, verdict, value, None, subject.status not in AT_REST)
