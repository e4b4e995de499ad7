"""The page of costs."""

from datetime import date, timedelta
from typing import Any

from django.http import HttpRequest, HttpResponse, JsonResponse
from django.shortcuts import render
from django.utils import timezone

from config.api.permissions import OPERATOR, VIEWER
from config.pages import page
from costs.anomalies.queries import sentence, unusual_days
from costs.anomalies.rules import WORDS as UNUSUAL_WORDS
from costs.budgets import queries as budgets
from costs.forecast import queries as forecasts
from costs.forecast.rules import WORDS as FORECAST_WORDS
from costs.idle.queries import USUAL_HOURS, idle
from costs.ledger.queries import Amount, Days, Scope
from costs.overview import queries
from costs.overview.queries import GROUPINGS, RANGES
from costs.rightsizing.queries import advice

MOST_BUDGETS, MOST_ADVICE, MOST_IDLE = 8, 5, 5
UNUSUAL_DAYS = 30


@page(VIEWER)
def costs(request: HttpRequest) -> HttpResponse:
    """This month and its end, the budgets, each day, what it is made of, what moved, what could be saved."""
    now = timezone.now()
    today, scope = now.date(), Scope(request.principal)
    name = _choice(request, "range", RANGES, "month")
    days = queries.days_of(name, today)
    by, label = _choice(request, "by", GROUPINGS, "provider"), _label(request)
    points = queries.points(days, scope)
    month = sum((cost for day, cost in queries.points(queries.days_of("month", today), scope).items()), Amount())
    found = budgets.standings(
        budgets.budgets().visible_to(request.principal).newest_first()[: budgets.MOST], now
    )  # fmt: skip
    unusual = _unusual(scope, today)
    recommendations = advice(request.principal)
    context = {
        "place": "overview",
        "may_operate": request.principal.may(OPERATOR),
        "today": today,
        "month": month,
        "month_begin": today.replace(day=1),
        "today_cost": points.get(today, Amount()),
        "forecast": forecasts.of_month(scope, now),
        "forecast_words": FORECAST_WORDS,
        "budgets": sorted(found, key=lambda one: (-one.fill.percent, one.budget.pk))[:MOST_BUDGETS],
        "budget_count": len(found),
        "range": name,
        "ranges": RANGES,
        "days": days,
        "chart": queries.trend(points, days, _marks(unusual, days)),
        "points": sorted(points.items(), reverse=True),
        "total": sum(points.values(), Amount()),
        "by": by,
        "label": label,
        "groupings": GROUPINGS,
        "rows": queries.rows(days, scope, by=f"label:{label}" if label else by),
        "movers": queries.movers(scope, today),
        "compared": queries.same_days_before(today),
        "unusual": [(one.oddity, sentence(one)) for one in unusual],
        "unusual_words": UNUSUAL_WORDS,
        "advice": list(recommendations[:MOST_ADVICE]),
        "advice_count": recommendations.count(),
        "savings": sum(recommendations.values_list("savings_micros", flat=True)),
        "api_path": f"/api/v1/costs/trends?from={days.first}T00:00:00Z",
    }
    return render(request, "costs/costs.html", context)


@page(VIEWER)
def trend(request: HttpRequest) -> JsonResponse:
    """The data of the chart."""
    today, scope = timezone.now().date(), Scope(request.principal)
    days = queries.days_of(_choice(request, "range", RANGES, "month"), today)
    return JsonResponse(queries.trend(queries.points(days, scope), days, _marks(_unusual(scope, today), days)))


@page(VIEWER)
def idle_part(request: HttpRequest) -> HttpResponse:
    """The longest idle ones, for the page of costs; fetched by the page itself, for it reads a great many figures."""
    now = timezone.now()
    found = idle(request.principal, hours=USUAL_HOURS, now=now)
    context = {
        "rows": [(one, one.hours(now) * 3600) for one in found[:MOST_IDLE]],
        "count": len(found),
        "wasted": sum(one.monthly or 0 for one in found),
        "hours": USUAL_HOURS,
    }
    return render(request, "costs/idle_part.html", context)


def _unusual(scope: Scope, today: date) -> list:
    return unusual_days(scope, since=today - timedelta(days=UNUSUAL_DAYS), until=today - timedelta(days=1))


def _marks(unusual: list, days: Days) -> list[dict[str, Any]]:
    return [
        {"at": queries.stamp(one.oddity.day), "label": "Unusual day"}
        for one in unusual
        if days.first <= one.oddity.day <= days.last
    ]


def _choice(request: HttpRequest, name: str, known: dict[str, str], usual: str) -> str:
    given = request.GET.get(name, "")
    return given if given in known else usual


def _label(request: HttpRequest) -> str:
    return request.GET.get("label", "").replace("\x00", "").strip()[:128]
