"""Alerts of budgets: one for each period in which the threshold is crossed (contract: fleet console §16).

The room of costs lies below this one and knows nothing of alerts, so this one looks: after each run of the ledger.
"""

import logging
from datetime import datetime

from django.db import transaction
from django.utils import timezone

from alerts.channels.models import Channel, ChannelType
from alerts.incidents.models import Alert, Severity, Source
from alerts.incidents.services import fire, resolve
from alerts.rules.models import RuleType
from costs.budgets.queries import MOST, Standing, budgets, standings
from costs.budgets.services import claim
from costs.money import cents

log = logging.getLogger(__name__)
TOLD = (ChannelType.IN_APP, ChannelType.EMAIL)
AGAIN, OVER = "The budget was changed", "The budget is no longer near its amount, or a new period has begun"


def look(*, now: datetime | None = None) -> None:
    """Open the alerts of budgets whose threshold was crossed, end those that are over.

    Any number of workers may do this at once: one of them claims a crossing, and tells it in the same transaction.
    """
    now = now or timezone.now()
    found = standings(budgets().order_by("pk")[:MOST], now)
    opened = {alert.dedupe_key: alert for alert in Alert.objects.open().filter(dedupe_key__startswith="budget:")}
    for standing in found:
        try:
            judge(standing, opened.pop(key_of(standing), None), now=now)
        except Exception:  # noqa: BLE001 - one budget must not keep the others from being looked at
            log.exception("budget %s could not be looked at", standing.budget.pk)
    for alert in opened.values():
        resolve(alert=alert, now=now, notify=False, text="The budget was deleted")


@transaction.atomic
def judge(standing: Standing, known: Alert | None, *, now: datetime) -> None:
    """Tell a crossing that nobody has told yet; end an alert whose period or reason is over.

    Nobody is told of the end: a new month is no news.
    """
    crossed = standing.fill.crossed
    if crossed and claim(standing.budget, now=now):
        if known:
            resolve(alert=known, now=now, notify=False, text=AGAIN)
        _fire(standing, now)
    elif known and not (crossed and standing.alert_sent):
        resolve(alert=known, now=now, notify=False, text=OVER)


def key_of(standing: Standing) -> str:
    return f"budget:{standing.budget.pk}"


def _fire(standing: Standing, now: datetime) -> None:
    budget, fill = standing.budget, standing.fill
    exceeded = fill.status == "exceeded"
    title = f"Budget {budget.name} is {'exceeded' if exceeded else 'nearly used up'}"
    over = "" if exceeded or not standing.over_on else f" At the usual pace it is used up on {standing.over_on}."
    fire(
        channels=Channel.objects.filter(enabled=True, type__in=TOLD).order_by("pk"),
        now=now,
        source=Source.COSTS,
        type=RuleType.COST,
        severity=Severity.HIGH if exceeded else Severity.MEDIUM,
        title=title[:300],
        message=(
            f"{cents(fill.spent):,} USD of {cents(fill.amount):,} USD ({fill.percent:g} %) for {budget.subject} "
            f"since {standing.begin} (UTC), until {standing.until}.{over}"
        ),
        metadata={
            "budgetId": budget.pk, "period": budget.period, "periodStart": standing.begin.isoformat(),
            "spentUsd": float(cents(fill.spent)), "amountUsd": float(cents(fill.amount)),
        },
        dedupe_key=key_of(standing),
        instance=budget.instance,
        labels={"budget": budget.name, "subject": budget.name},
    )  # fmt: skip
