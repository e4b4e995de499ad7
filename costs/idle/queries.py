"""Instances that nobody uses (contract: fleet console §15 "Idle").

In words: for so many hours nobody opened a terminal, ran a command or a task, or deployed, and the processor was busy
for less than 5 % of the time on average, or nothing was measured at all. A machine that has existed for less than
that is not idle. A task that runs on a machine is a command there; a registration is no deployment.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta

from django.db.models import Exists, Max, OuterRef, Q, QuerySet

from config.api.authentication import Principal
from costs.ledger.models import CostEntry
from costs.money import DAYS_A_MONTH
from costs.usage.queries import Means, means
from fleet.commands.models import Execution
from fleet.deployments.models import Deployment
from fleet.instances.models import Event, Instance, InstanceQuerySet, Status
from fleet.terminals.models import TerminalSession

USUAL_HOURS, MOST_HOURS = 48, 8760
CALM_CPU = 5.0  # percent
COSTING = (Status.RUNNING, Status.STOPPED, Status.SUSPENDED)
WORDS = (
    "No terminal, command, task or deployment in that time, and mean CPU below 5 % in it, or no sample at all. "
    "The cost of a month is 30 times the last whole day of the ledger."
)


@dataclass(frozen=True)
class Idle:
    """An idle instance. `last_activity_at` is None when nobody has used it yet; `since` is that, or its creation.

    `used` is None when nothing was measured, `monthly` (micro-dollars) when the ledger knows nothing of it.
    """

    instance: Instance
    last_activity_at: datetime | None
    since: datetime
    used: Means | None
    monthly: int | None

    def hours(self, now: datetime) -> float:
        return (now - self.since).total_seconds() / 3600


def idle(principal: Principal | None, *, hours: int, now: datetime, instance_id: str | None = None) -> list[Idle]:
    """Idle instances that the caller may see, or that one of them; longest idle first. A fixed number of reads."""
    begin = now - timedelta(hours=hours)
    visible = Instance.objects.visible_to(principal)
    quiet = _quiet(visible.filter(pk=instance_id) if instance_id else visible, begin)
    used = means(quiet, since=begin, until=now)
    found = [one for one in quiet.order_by("pk") if _calm(used.get(one.pk))]
    keys = [one.pk for one in found]
    active, costs = _last_activity(keys), newest_cost(keys, now)
    rows = [
        Idle(one, active.get(one.pk), active.get(one.pk) or one.created_at, used.get(one.pk), costs.get(one.pk))
        for one in found
    ]
    return sorted(rows, key=lambda row: (row.since, row.instance.pk))


def _quiet(instances: InstanceQuerySet, begin: datetime) -> InstanceQuerySet:
    """Those that existed at `begin` and saw no activity since."""
    found = instances.filter(status__in=COSTING, created_at__lte=begin)
    for rows, column in _activities():
        found = found.exclude(Exists(rows.filter(**{"instance": OuterRef("pk"), f"{column}__gt": begin})))
    return found


def _activities() -> list[tuple[QuerySet, str]]:
    """What counts as use: rows that name an instance, and the column that tells when."""
    registration = Q(type=Event.Type.DEPLOY, metadata__triggered_by="api")
    reported = Event.objects.filter(type__in=(Event.Type.DEPLOY, Event.Type.REDEPLOY)).exclude(registration)
    return [
        (TerminalSession.objects.all(), "last_input_at"),
        (TerminalSession.objects.all(), "created_at"),
        (Execution.objects.all(), "created_at"),
        (Deployment.objects.all(), "started_at"),
        (reported, "timestamp"),
    ]


def _last_activity(keys: list[str]) -> dict[str, datetime]:
    found: dict[str, datetime] = {}
    for rows, column in _activities():
        newest = rows.filter(instance__in=keys).order_by().values_list("instance").annotate(Max(column))
        for key, at in newest:
            found[key] = max(at, found.get(key, at))
    return found


def _calm(used: Means | None) -> bool:
    return used is None or used.cpu is None or used.cpu < CALM_CPU


def newest_cost(keys: Iterable[str], now: datetime) -> dict[str, int]:
    """By instance what a month costs: 30 times yesterday in the ledger, else today as far as it is counted."""
    today = now.date()
    rows = CostEntry.objects.filter(instance_id__in=list(keys), day__in=(today - timedelta(days=1), today))
    newest_last = rows.order_by("-day").values_list("instance_id", "total_micros")
    return {key: DAYS_A_MONTH * total for key, total in newest_last}
