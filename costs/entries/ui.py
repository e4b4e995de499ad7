"""Pages of the ledger: its entries, what one is made of, and those of one instance."""

from typing import Any

from django.core.paginator import Paginator
from django.db.models import Sum
from django.http import HttpRequest, HttpResponse, JsonResponse
from django.shortcuts import render
from django.utils import timezone
from django.utils.http import urlencode

from config.api.permissions import VIEWER
from config.pages import page
from costs.entries import queries
from costs.forecast.queries import of_month
from costs.idle.queries import USUAL_HOURS, idle
from costs.idle.queries import WORDS as IDLE_WORDS
from costs.ledger.queries import Scope, daily_totals
from costs.overview.queries import days_of, trend
from costs.rightsizing.queries import advice
from fleet.instances.listing import state_of
from fleet.instances.models import Provider
from fleet.instances.queries import get_visible

PER_PAGE = 50


@page(VIEWER)
def entries(request: HttpRequest) -> HttpResponse:
    """What each instance cost on each day; the filter is in the address."""
    asked = queries.wanted(request.GET.dict(), timezone.now().date())
    found = queries.entries(request.principal, asked)
    shown = Paginator(found, PER_PAGE).get_page(request.GET.get("page"))
    context = {
        "place": "entries",
        "page": shown,
        "total": found.aggregate(total=Sum("total_micros"))["total"] or 0,
        "days": asked.days,
        "chosen": asked.chosen,
        "words": _words(asked),
        "providers": Provider.choices,
        "api_path": _api_path(asked),
    }
    return render(request, "costs/entries.html", context)


@page(VIEWER)
def entry(request: HttpRequest, pk: int) -> HttpResponse:
    """One instance on one day, down to sizes, seconds and prices."""
    found = queries.get_visible(request.principal, pk)
    lines = queries.lines(found)
    context = {
        "place": "entries",
        "entry": found,
        "subject": found.subject,
        "parts": queries.amount(found),
        "lines": lines,
        "bill": {name: value for name, value in found.basis.items() if name not in ESTIMATED} or None,
        "api_path": f"/api/v1/costs/instances/{found.instance_id}?from={found.day}T00:00:00Z&to={found.day}T23:59:59Z",
    }
    return render(request, "costs/entry.html", context)


ESTIMATED = ("spans", "network", "disk_gb", "egress_gb")  # what an estimate is made of, which `lines` tell


@page(VIEWER)
def of_instance(request: HttpRequest, pk: str) -> HttpResponse:
    """What one instance costs, day by day, and whether anybody uses it."""
    found = get_visible(instance_id=pk, principal=request.principal)
    now = timezone.now()
    days, scope = days_of("30", now.date()), Scope(request.principal, instance_id=found.pk)
    points = daily_totals(days, scope)
    asked = queries.Wanted(days, {"instance": found.pk})
    verdict = next((one for one in idle(request.principal, hours=USUAL_HOURS, now=now, instance_id=found.pk)), None)
    context = {
        "instance": found,
        "state": state_of(found, now),
        "tab": "costs",
        "chart": trend(points, days, []),
        "entries": queries.entries(request.principal, asked)[:31],
        "total": sum(amount.total for amount in points.values()),
        "forecast": of_month(scope, now),
        "idle": verdict,
        "idle_hours": USUAL_HOURS,
        "idle_words": IDLE_WORDS,
        "advice": advice(request.principal).filter(instance=found).first(),
        "api_path": f"/api/v1/costs/instances/{found.pk}",
    }
    return render(request, "costs/instance.html", context)


@page(VIEWER)
def instance_trend(request: HttpRequest, pk: str) -> JsonResponse:
    """The data of the chart of one instance."""
    found = get_visible(instance_id=pk, principal=request.principal)
    days = days_of("30", timezone.now().date())
    return JsonResponse(trend(daily_totals(days, Scope(request.principal, instance_id=found.pk)), days, []))


def _words(asked: queries.Wanted) -> str:
    """The filter, for what is empty because of it."""
    return ", ".join(f"{name} {'none' if value == queries.NONE else value}" for name, value in asked.chosen.items())


def _api_path(asked: queries.Wanted) -> str:
    span: dict[str, Any] = {"from": f"{asked.days.first}T00:00:00Z", "to": f"{asked.days.last}T23:59:59Z"}
    if "instance" in asked.chosen:
        return f"/api/v1/costs/instances/{asked.chosen['instance']}?{urlencode(span)}"
    more = {"provider": asked.chosen["provider"]} if "provider" in asked.chosen else {}
    return f"/api/v1/costs/breakdown?{urlencode(span | more)}"
