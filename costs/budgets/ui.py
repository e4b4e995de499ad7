"""Pages of budgets."""

from typing import Any

from django import forms
from django.contrib import messages
from django.core.paginator import Paginator
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils import timezone

from config.api.errors import ApiError
from config.api.permissions import OPERATOR, VIEWER, require
from config.pages import page, show_errors
from costs.budgets import queries, services
from costs.budgets.models import Budget, Period
from costs.forecast.rules import WORDS
from costs.money import cents
from fleet.instances.models import Instance, Provider

PER_PAGE, MOST = 50, 1000
PLACE = {"place": "budgets"}


class BudgetForm(forms.Form):
    name = forms.CharField(max_length=128)
    amount_usd = forms.DecimalField(min_value=0.01, max_value=10**12, decimal_places=2, label="Amount, USD")
    period = forms.ChoiceField(
        choices=[("DAILY", "Day"), ("WEEKLY", "Week, from Sunday"), ("MONTHLY", "Month")],
        initial=Period.MONTHLY, help_text="In UTC.",
    )  # fmt: skip
    instance_id = forms.ChoiceField(required=False, label="Instance", help_text="Nothing chosen: the whole fleet.")
    provider = forms.ChoiceField(
        required=False, choices=[("", "All providers"), *Provider.choices], help_text="Only what runs there."
    )
    alert_threshold = forms.DecimalField(
        min_value=1, max_value=100, initial=80, label="Tell people at, %",
        help_text="Once in a period, by e-mail and in the product. Also after the amount or this share was changed.",
    )  # fmt: skip

    def __init__(self, *args: Any, principal: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        visible = Instance.objects.visible_to(principal).existing().order_by("name", "pk")
        self.fields["instance_id"].choices = [("", "The whole fleet"), *visible.values_list("pk", "name")[:MOST]]

    def fields_of(self) -> dict[str, Any]:
        """What the services take."""
        given = dict(self.cleaned_data)
        share = float(given.pop("alert_threshold")) / 100
        whole = {"instance_id": given["instance_id"] or None, "provider": given["provider"] or None}
        return given | whole | {"alert_threshold": share}


@page(VIEWER)
def budgets(request: HttpRequest) -> HttpResponse:
    """Each with how full it is and when it will be used up."""
    found = queries.budgets().visible_to(request.principal).newest_first()
    shown = Paginator(found, PER_PAGE).get_page(request.GET.get("page"))
    context = PLACE | {
        "page": shown,
        "rows": queries.standings(shown.object_list, timezone.now()),
        "may_operate": request.principal.may_somewhere(OPERATOR),
    }
    return render(request, "costs/budgets.html", context)


@page(VIEWER)
def budget(request: HttpRequest, pk: str) -> HttpResponse:
    """One budget: what was spent on which day of its period, and what is to be expected."""
    standing = _standing(request, pk)
    days = sorted(((day, cost) for day, cost in standing.days.items() if day >= standing.begin), reverse=True)
    context = PLACE | {
        "standing": standing,
        "budget": standing.budget,
        "days": days,
        "filter": _filter(standing.budget),
        "words": WORDS,
        "may_operate": request.principal.may(OPERATOR, team_id=standing.budget.team_id),
    }
    return render(request, "costs/budget.html", context)


@page(OPERATOR)
def new(request: HttpRequest) -> HttpResponse:
    return _form_page(request, None, {"instance_id": request.GET.get("instance", "")[:64]})


@page(OPERATOR)
def edit(request: HttpRequest, pk: str) -> HttpResponse:
    row = _own(request, pk)
    plain = {name: getattr(row, name) for name in ("name", "period", "instance_id", "provider")}
    share = {"amount_usd": cents(row.amount_micros), "alert_threshold": f"{100 * row.alert_threshold:g}"}
    return _form_page(request, row, plain | share)


@page(OPERATOR)
def delete(request: HttpRequest, pk: str) -> HttpResponse:
    row = _own(request, pk)
    if request.method == "POST":
        services.delete_budget(budget=row, actor=request.principal, request=request)
        messages.success(request, f"Deleted: {row.name}.")
        return redirect("ui:cost-budgets")
    context = {
        "noun": "budget",
        "name": row.name,
        "said": "nobody will be told of what is spent any more. The entries of the ledger stay.",
        "back_url": reverse("ui:cost-budget", args=[row.pk]),
        "back_label": row.name,
    }
    return render(request, "partials/delete_page.html", context)


def _form_page(request: HttpRequest, row: Budget | None, initial: dict[str, Any]) -> HttpResponse:
    form = BudgetForm(request.POST or None, initial=initial, principal=request.principal)
    if request.method == "POST" and form.is_valid():
        given = {"actor": request.principal, "request": request, **form.fields_of()}
        try:
            saved = services.change_budget(budget=row, **given) if row else services.create_budget(**given)
            messages.success(request, f"Saved: {saved.name}.")
            return redirect("ui:cost-budget", saved.pk)
        except ApiError as error:
            show_errors(form, error)
    context = PLACE | {"form": form, "heading": f"Edit {row.name}" if row else "New budget"}
    return render(request, "costs/budget_form.html", context, status=422 if form.errors else 200)


def _own(request: HttpRequest, pk: str) -> Budget:
    row = queries.get_visible(principal=request.principal, budget_id=pk)
    require(request.principal, OPERATOR, team_id=row.team_id)
    return row


def _standing(request: HttpRequest, pk: str) -> queries.Standing:
    found = queries.get_visible(principal=request.principal, budget_id=pk)
    return queries.standing(found, timezone.now())


def _filter(row: Budget) -> str:
    """What the entries that it counts are found by."""
    parts = {"instance": row.instance_id, "provider": row.provider}
    return "".join(f"&{name}={value}" for name, value in parts.items() if value)
