"""COST rules: what was spent in the running period, by the ledger (contract: fleet console §10, §15)."""

from collections.abc import Mapping, Sequence
from datetime import date, datetime
from typing import Any

from django.db.models import Sum

from alerts.evaluation.models import FLEET
from alerts.evaluation.sources import Fact
from costs.budgets.models import Period
from costs.budgets.rules import begin_of
from costs.ledger.models import CostEntry
from costs.money import wire


def facts(conditions: Sequence[Mapping[str, Any]], instance_ids: Sequence[str], now: datetime) -> list[dict[str, Fact]]:
    """For each rule by instance id, and of FLEET; who has no entry in the period is unknown. One read a period."""
    today = now.date()
    spent = {
        period: _spent(begin_of(Period(period.upper()), today)) for period in {one["period"] for one in conditions}
    }
    return [
        {key: _fact(cost, condition) for key, cost in spent[condition["period"]].items()} for condition in conditions
    ]


def _fact(cost: float, condition: Mapping[str, Any]) -> Fact:
    return Fact(cost >= condition["budget_usd"] * condition["threshold_percent"] / 100, cost)


def _spent(begin: date) -> dict[str, float]:
    """USD by instance since that day, and of all together."""
    rows = CostEntry.objects.filter(day__gte=begin).order_by().values_list("instance_id").annotate(Sum("total_micros"))
    found = {key: int(cost) for key, cost in rows.iterator(chunk_size=5000)}
    if found:  # an empty ledger knows nothing, which is not the same as nothing spent
        found[FLEET] = sum(found.values())
    return {key: wire(cost) for key, cost in found.items()}
