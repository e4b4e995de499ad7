"""Counting for objectives, and the alerts of those that spend their error budget too fast."""

import logging
from datetime import datetime, timedelta

from django.db import transaction
from django.db.models import Q
from django.utils import timezone

from alerts.incidents.models import Alert, Source
from alerts.incidents.services import fire, resolve
from alerts.objectives.burning import Pair
from alerts.objectives.models import Objective
from alerts.objectives.queries import Standing, objectives, standings
from alerts.objectives.tallying import count_up
from config import formats

log = logging.getLogger(__name__)
EVERY = timedelta(seconds=30)
TYPE = "burn"
AT_ONCE = 200


def look(*, now: datetime | None = None) -> int:
    """Count and judge the objectives whose turn it is; how many. Any number of workers may do this at once."""
    now = now or timezone.now()
    due = Q(counted_until=None) | Q(counted_until__lte=now - EVERY)
    turn = list(objectives().filter(due, enabled=True).order_by("counted_until", "pk")[:AT_ONCE])
    whole = []
    for objective in turn:
        try:
            if count_up(objective, now=now):
                whole.append(objective)
        except Exception:  # noqa: BLE001 - one objective must not keep the others from being counted
            log.exception("objective %s could not be counted", objective.pk)
    for standing in standings(whole, now):
        judge(standing, now=now)
    retire(now=now)
    return len(turn)


@transaction.atomic
def judge(standing: Standing, *, now: datetime) -> None:
    """One open alert for each objective that burns, with the severity of its worst pair of windows."""
    objective, pair = standing.objective, standing.pair
    key = f"objective:{objective.pk}:{pair.severity.lower()}" if pair else ""
    open_keys = set()
    for alert in Alert.objects.open().filter(dedupe_key__startswith=f"objective:{objective.pk}:"):
        open_keys.add(alert.dedupe_key)
        if alert.dedupe_key != key:
            text = "It burns at another rate now" if pair else "The budget is no longer spent too fast"
            resolve(alert=alert, now=now, notify=pair is None, text=text)
    if pair and key not in open_keys:
        _fire(standing, pair, key, now)


def _fire(standing: Standing, pair: Pair, key: str, now: datetime) -> None:
    objective = standing.objective
    long, short = standing.rates[pair.long], standing.rates[pair.short]
    left = formats.percent(standing.left_percent)
    fire(
        channels=objective.channels.filter(enabled=True),
        now=now,
        source=Source.OBJECTIVE,
        type=TYPE,
        severity=pair.severity,
        title=f"{objective.name} spends its error budget too fast"[:300],
        message=(
            f"{long:.1f} times too fast over {formats.duration(pair.long.total_seconds())} and {short:.1f} times over "
            f"{formats.duration(pair.short.total_seconds())}; the limit is {pair.factor:g} times. "
            f"{left} of the budget of {objective.window_days} days is left."
        ),
        metadata={
            "objectiveId": objective.pk, "burnRate": long, "factor": pair.factor,
            "windowSec": pair.long.total_seconds(), "budgetLeftPercent": standing.left_percent,
        },
        dedupe_key=key,
        monitor=objective.monitor,
        labels={"objective": objective.name, "subject": objective.name},
    )  # fmt: skip


def retire(*, now: datetime) -> None:
    """End the alerts of objectives that were switched off or deleted."""
    gone = Alert.objects.open().filter(source=Source.OBJECTIVE)
    alive = {f"objective:{pk}" for pk in Objective.objects.filter(enabled=True).values_list("pk", flat=True)}
    for alert in gone.order_by("pk")[:AT_ONCE]:
        if alert.dedupe_key.rpartition(":")[0] not in alive:
            with transaction.atomic():
                resolve(alert=alert, now=now, text="The objective was switched off")
