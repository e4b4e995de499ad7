"""The list of rules."""

from django.core.paginator import Paginator
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render

from alerts.evaluation.sources import notice
from alerts.rules import queries, words
from config.api.permissions import OPERATOR, VIEWER
from config.pages import page

PER_PAGE = 50


@page(VIEWER)
def rules(request: HttpRequest) -> HttpResponse:
    found = queries.visible(request.principal)
    shown = Paginator(found, PER_PAGE).get_page(request.GET.get("page"))
    rows = [
        {
            "rule": rule,
            "condition": words.sentence(rule.type, rule.conditions),
            "notice": notice(rule),
            "may_operate": request.principal.may(OPERATOR, team_id=rule.owner_team_id),
        }
        for rule in shown
    ]
    context = {"page": shown, "rows": rows, "may_add": request.principal.may_somewhere(OPERATOR)}
    return render(request, "alerts/rules.html", context)
