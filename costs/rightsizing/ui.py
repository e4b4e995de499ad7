"""The page of advice about sizes."""

from django.contrib import messages
from django.core.paginator import Paginator
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.views.decorators.http import require_POST

from config.api.permissions import OPERATOR, VIEWER, require
from config.pages import page
from costs.rightsizing import queries, services
from costs.rightsizing.rules import WORDS

PER_PAGE = 50


@page(VIEWER)
def recommendations(request: HttpRequest) -> HttpResponse:
    """The largest saving first; what was dismissed only when asked for."""
    dismissed = request.GET.get("dismissed") == "true"
    found = queries.advice(request.principal, dismissed=dismissed)
    shown = Paginator(found, PER_PAGE).get_page(request.GET.get("page"))
    context = {
        "place": "advice",
        "page": shown,
        "rows": list(shown),
        "dismissed": dismissed,
        "savings": sum(found.open().values_list("savings_micros", flat=True)),
        "last": queries.last_pass(),
        "words": WORDS,
        "may_operate": request.principal.may_somewhere(OPERATOR),
        "may_analyze": request.principal.may(OPERATOR),
    }
    return render(request, "costs/advice.html", context)


@require_POST
@page(OPERATOR)
def dismiss(request: HttpRequest, pk: str) -> HttpResponse:
    """Hide it as long as it advises the same."""
    found = queries.get_visible(principal=request.principal, pk=pk)
    require(request.principal, OPERATOR, team_id=found.instance.team_id)
    services.dismiss(advice=found, actor=request.principal, request=request)
    messages.success(request, f"The advice for {found.instance.name} is dismissed. It comes back if it changes.")
    return redirect("ui:cost-advice")


@require_POST
@page(OPERATOR)
def analyze(request: HttpRequest) -> HttpResponse:
    """Look at all running instances now."""
    require(request.principal, OPERATOR)
    outcome = services.analyze_now(actor=request.principal, request=request)
    plural = "" if outcome.analyzed == 1 else "s"
    messages.success(request, f"Looked at {outcome.analyzed} instance{plural}: {outcome.generated} could be smaller.")
    return redirect("ui:cost-advice")
