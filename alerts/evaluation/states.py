"""What passes remember between each other, read and written in bulk."""

from collections.abc import Iterable, Mapping

from django.db.models import Q

from alerts.evaluation.deciding import Memory
from alerts.evaluation.models import FLEET, STATES, RuleState, Verdict
from config import timeseries
from fleet.instances.models import Instance

Key = tuple[str, str]  # rule, subject
BATCH = 5_000


def read() -> dict[Key, Memory]:
    """Everything but what is quiet: a FALSE with nothing true lately means no more than no row, unless the time since
    then keeps an alert open."""
    rows = RuleState.objects.filter(
        ~Q(verdict=Verdict.FALSE) | Q(history__contains="1") | Q(rule__keep_firing_s__gt=0), rule__enabled=True
    )
    columns = ("rule_id", "subject_id", "verdict", "since_at", "value", "history", "sample_at")
    found = rows.order_by().values_list(*columns).iterator(chunk_size=5_000)
    return {(rule_id, subject_id): Memory(*rest) for rule_id, subject_id, *rest in found}


def write(changes: Mapping[Key, Memory]) -> None:
    """Store what changed; a statement for each few thousand."""
    rows = [(*key, *memory) for key, memory in changes.items()]
    for start in range(0, len(rows), BATCH):
        timeseries.upsert(STATES, rows[start : start + BATCH])


def forget(keys: Iterable[Key]) -> None:
    """Drop what no rule looks at any more."""
    by_rule: dict[str, list[str]] = {}
    for rule_id, subject_id in keys:
        by_rule.setdefault(rule_id, []).append(subject_id)
    for rule_id, subjects in by_rule.items():
        for start in range(0, len(subjects), 500):
            RuleState.objects.filter(rule_id=rule_id, subject_id__in=subjects[start : start + 500]).delete()


def prune() -> int:
    """Drop the rows of instances that are gone; how many there were."""
    known = Instance.objects.existing().values("pk")
    return RuleState.objects.exclude(subject_id__in=known).exclude(subject_id=FLEET).delete()[0]
