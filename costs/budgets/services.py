"""Making and changing budgets (contract: fleet console §16)."""

from datetime import datetime
from decimal import Decimal
from typing import Any

from django.db import transaction
from django.db.models import Q

from config.api.authentication import Principal
from config.api.errors import Conflict, Invalid
from config.api.permissions import OPERATOR, require
from costs.budgets.models import Budget
from costs.budgets.queries import MOST
from costs.budgets.rules import begin_of
from costs.money import micros, wire
from fleet.instances.models import Instance
from fleet.instances.queries import get_visible
from security.audit.services import record

ASKED = ("amount_micros", "period", "instance_id", "provider", "alert_threshold")  # another one is another question


@transaction.atomic
def create_budget(
    *, actor: Principal, amount_usd: Decimal, instance_id: str | None = None, request: Any = None, **fields: Any
) -> Budget:
    """A new budget; `fields` are `name`, `period`, `provider`, `alert_threshold`.

    Raises NotFound for an instance that the caller may not see, Conflict when there are too many budgets.
    """
    instance = _instance(instance_id, actor)
    if Budget.objects.count() >= MOST:
        raise Conflict(f"There are {MOST} budgets already; delete one first")
    budget = Budget(instance=instance, amount_micros=_amount(amount_usd), created_by=actor.user, **fields)
    budget.save(force_insert=True)
    _audit("CREATE", budget, actor, request, after=facts(budget))
    return budget


@transaction.atomic
def change_budget(*, budget: Budget, actor: Principal, request: Any = None, **fields: Any) -> Budget:
    """Set any subset of what `create_budget` takes. What asks something else from now on may be told of again."""
    budget = Budget.objects.select_for_update(of=("self",)).select_related("instance", "created_by").get(pk=budget.pk)
    before, asked = facts(budget), [getattr(budget, name) for name in ASKED]
    if "instance_id" in fields:
        budget.instance = _instance(fields.pop("instance_id"), actor)
    if "amount_usd" in fields:
        budget.amount_micros = _amount(fields.pop("amount_usd"))
    for name, value in fields.items():
        setattr(budget, name, value)
    if asked != [getattr(budget, name) for name in ASKED]:
        budget.alerted_for = budget.alerted_at = None
    budget.save()
    _audit("UPDATE", budget, actor, request, before=before, after=facts(budget))
    return budget


@transaction.atomic
def delete_budget(*, budget: Budget, actor: Principal, request: Any = None) -> None:
    key, before = budget.pk, facts(budget)
    budget.delete()
    budget.pk = key
    _audit("DELETE", budget, actor, request, before=before)


def claim(budget: Budget, *, now: datetime) -> bool:
    """Take it upon oneself to tell that this budget's threshold was crossed in the running period.

    True for one caller only: once in a period, and again after the budget was made to ask something else. The caller
    tells it in the same transaction.
    """
    begin = begin_of(budget.period, now.date())
    unchanged = {name: getattr(budget, name) for name in ASKED}
    untold = Budget.objects.filter(Q(alerted_for=None) | ~Q(alerted_for=begin), pk=budget.pk, **unchanged)
    return bool(untold.update(alerted_for=begin, alerted_at=now))


def facts(budget: Budget) -> dict[str, Any]:
    """What the audit notes."""
    names = ("name", "period", "instance_id", "provider", "alert_threshold")
    return {name: getattr(budget, name) for name in names} | {"amount_usd": wire(budget.amount_micros)}


def _instance(instance_id: str | None, actor: Principal) -> Instance | None:
    """The instance that a budget is to be about; whoever is no operator of its team may not. None for the fleet."""
    instance = get_visible(instance_id=instance_id, principal=actor) if instance_id else None
    require(actor, OPERATOR, team_id=instance.team_id if instance else None)
    return instance


def _amount(usd: Decimal) -> int:
    amount = micros(usd)
    if amount < 1:
        raise Invalid("The amount is too small", details={"amountUsd": ["The amount is too small."]})
    return amount


def _audit(action: str, budget: Budget, actor: Principal, request: Any, **more: Any) -> None:
    record(
        actor=actor, action=action, resource="budget", resource_id=budget.pk, team_id=budget.team_id, request=request,
        **more,
    )  # fmt: skip
