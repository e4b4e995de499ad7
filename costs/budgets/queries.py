"""Reads of budgets: what was spent, how full they are, when they will be."""

from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date, datetime, timedelta

from django.db.models import Sum

from config.api.authentication import Principal
from config.api.errors import Malformed, NotFound
from costs.budgets.models import Budget, BudgetQuerySet
from costs.budgets.rules import Fill, begin_of, end_of, first_day_over
from costs.forecast.rules import LOOK_BACK, Forecast, day_over, forecast
from costs.ledger.models import CostEntry, DayTotal, midnight

MOST = 500  # budgets that a list holds; it is not paged (contract: fleet console §16)
LONGEST = timedelta(days=31)


@dataclass(frozen=True)
class Standing:
    """A budget in its current period. `days` are its costs by UTC day, back to where the usual day is told from.

    `over_on` is the day on which it was, or will be, used up (None: not within the period, or unknown).
    """

    budget: Budget
    begin: date
    until: date
    fill: Fill
    alert_sent: bool
    days: dict[date, int]
    forecast: Forecast | None
    over_on: date | None

    @property
    def noteworthy(self) -> bool:
        """Whether the list of budget alerts names it."""
        return self.fill.status != "ok" or self.alert_sent

    @property
    def near(self) -> float:
        """From which percent on people are told."""
        return 100 * self.budget.alert_threshold

    @property
    def fired_at(self) -> datetime:
        """When people were told; of a crossing that nobody was told of yet, the start of the day that crossed."""
        if self.alert_sent and self.budget.alerted_at:
            return self.budget.alerted_at
        limit = round(self.budget.amount_micros * self.budget.alert_threshold)
        within = {day: cost for day, cost in self.days.items() if day >= self.begin}
        return midnight(first_day_over(within, limit) or self.begin)


def budgets() -> BudgetQuerySet:
    return Budget.objects.select_related("instance", "created_by")


def get_visible(*, principal: Principal | None, budget_id: str) -> Budget:
    """The budget if the caller may see it. Raises Malformed for an impossible id, else NotFound."""
    if len(budget_id) > 128 or "\x00" in budget_id:
        raise Malformed("Invalid budget ID")
    found = budgets().visible_to(principal).filter(pk=budget_id).first()
    if found is None:
        raise NotFound(f"Budget '{budget_id}' not found")
    return found


def standings(found: Iterable[Budget], now: datetime) -> list[Standing]:
    """How each of them stands, in the order given; three reads however many there are."""
    found = list(found)
    today = now.date()
    costs = spent_by_day(found, since=today - max(LONGEST, timedelta(days=LOOK_BACK)))
    return [_standing(budget, costs[budget.pk], today) for budget in found]


def standing(budget: Budget, now: datetime) -> Standing:
    return standings([budget], now)[0]


def _standing(budget: Budget, days: dict[date, int], today: date) -> Standing:
    begin, until = begin_of(budget.period, today), end_of(budget.period, today)
    within = {day: cost for day, cost in days.items() if day >= begin}
    fill = Fill(sum(within.values()), budget.amount_micros, budget.alert_threshold)
    span = {"begin": begin, "until": until, "today": today}
    over_on = first_day_over(within, budget.amount_micros) or day_over(days, budget.amount_micros, **span)
    sent = budget.alerted_for == begin
    return Standing(budget, begin, until, fill, sent, days, forecast(days, **span), over_on)


def spent_by_day(found: Iterable[Budget], *, since: date) -> dict[str, dict[date, int]]:
    """By id of the budget what it counts on each UTC day from `since` on, in micro-dollars.

    What a budget counts does not depend on who asks: it is the same sum that its alert is about.
    """
    found = list(found)
    whole: dict[str | None, dict[date, int]] = defaultdict(lambda: defaultdict(int))
    single: dict[tuple[str, str | None], dict[date, int]] = defaultdict(lambda: defaultdict(int))
    if any(not budget.instance_id for budget in found):
        totals = DayTotal.objects.filter(day__gte=since).values_list("day", "provider")
        for day, provider, cost in totals.annotate(Sum("total_micros")).order_by("day"):
            whole[provider][day] += cost
            whole[None][day] += cost
    wanted = {budget.instance_id for budget in found if budget.instance_id}
    if wanted:
        entries = CostEntry.objects.filter(instance_id__in=wanted, day__gte=since).order_by("day")
        columns = ("instance_id", "subject__provider", "day", "total_micros")
        for instance_id, provider, day, cost in entries.values_list(*columns):
            single[instance_id, provider][day] += cost
            single[instance_id, None][day] += cost
    return {
        budget.pk: dict(single[budget.instance_id, budget.provider] if budget.instance_id else whole[budget.provider])
        for budget in found
    }
