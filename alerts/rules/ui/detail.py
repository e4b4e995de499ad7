"""One rule: what it asks, what it finds for each instance, what it would have done; switching it, deleting it."""

from collections import Counter
from typing import Any

from django.contrib import messages
from django.core.paginator import Paginator
from django.http import HttpRequest, HttpResponse, JsonResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils import timezone
from django.views.decorators.http import require_POST

from alerts.backtest.services import backtest, chart_of
from alerts.evaluation.models import EvaluationPass, Verdict
from alerts.evaluation.sources import notice
from alerts.evaluation.standing import standings
from alerts.rules import queries, services, words
from alerts.rules.models import Rule
from config.api.permissions import OPERATOR, VIEWER, require
from config.pages import page

PER_PAGE = 50


@page(VIEWER)
def rule(request: HttpRequest, pk: str) -> HttpResponse:
    found = queries.get_visible(principal=request.principal, rule_id=pk)
    context = {
        "rule": found,
        "condition": words.sentence(found.type, found.conditions),
        "refinements": words.refinements(found),
        "last_pass": EvaluationPass.objects.filter(pk=1, finished_at__isnull=False).first(),
        "may_operate": request.principal.may(OPERATOR, team_id=found.owner_team_id),
        "trial_url": reverse("ui:alert-rule-trial", args=[found.pk]),
    }
    return render(request, "alerts/rule.html", context | standing_of(request, found))


@page(VIEWER)
def standing(request: HttpRequest, pk: str) -> HttpResponse:
    """The table of instances, for the live update."""
    found = queries.get_visible(principal=request.principal, rule_id=pk)
    return render(request, "alerts/rule_standing.html", {"rule": found} | standing_of(request, found))


def standing_of(request: HttpRequest, found: Rule) -> dict[str, Any]:
    """What the table of instances reads."""
    rows = standings(found, request.principal, timezone.now())
    counts = Counter(row.verdict for row in rows)
    shown = Paginator(rows, PER_PAGE).get_page(request.GET.get("page"))
    silent = bool(rows) and counts[Verdict.NO_DATA] == len(rows)
    return {
        "page": shown,
        "rows": [(row, words.value(found, row.value)) for row in shown],
        "counts": [(verdict, counts[verdict]) for verdict in Verdict if counts[verdict]],
        "notice": notice(found) or ("Nothing has reported what this rule asks for yet." if silent else None),
    }


@page(VIEWER)
def trial(request: HttpRequest, pk: str) -> HttpResponse:
    """What the rule would have done over the last 7 days: a page, a part of one, or the chart's data."""
    found = queries.get_visible(principal=request.principal, rule_id=pk)
    result = backtest(found, request.principal, now=timezone.now())
    if request.headers.get("Accept") == "application/json":
        return JsonResponse(chart_of(result))
    context = {"rule": found, "trial": result, "chart": chart_of(result), "chart_url": request.get_full_path()}
    part = request.headers.get("HX-Request") == "true"
    return render(request, "alerts/rule_trial.html" if part else "alerts/rule_trial_page.html", context)


@require_POST
@page(OPERATOR)
def switch(request: HttpRequest, pk: str, on: bool) -> HttpResponse:
    found = services.set_enabled(rule=operable(request, pk), enabled=on, actor=request.principal, request=request)
    messages.success(request, f"{found.name} is switched {'on' if on else 'off; its open alerts were resolved'}.")
    return redirect("ui:alert-rules")


@page(OPERATOR)
def delete(request: HttpRequest, pk: str) -> HttpResponse:
    """Asked first: the rule's alerts go with it."""
    found = operable(request, pk)
    if request.method == "POST":
        services.delete_rule(rule=found, actor=request.principal, request=request)
        messages.success(request, f"{found.name} is deleted.")
        return redirect("ui:alert-rules")
    alerts = f"{found.alert_count:,} alert{'' if found.alert_count == 1 else 's'}"
    context = {
        "noun": "rule",
        "name": found.name,
        "said": f"it goes for good, with its {alerts}, of which {found.open_count:,} "
        f"{'is' if found.open_count == 1 else 'are'} open. To keep the history, switch it off instead.",
        "back_url": reverse("ui:alert-rules"),
        "back_label": "Alert rules",
    }
    return render(request, "partials/delete_page.html", context)


def operable(request: HttpRequest, pk: str) -> Rule:
    """The rule if the person may change it. Raises NotFound, Forbidden."""
    found = queries.get_visible(principal=request.principal, rule_id=pk)
    require(request.principal, OPERATOR, team_id=found.owner_team_id)
    return found
