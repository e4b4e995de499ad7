"""The list of scenarios, moving by itself."""

from typing import Any

from django.core.paginator import Paginator
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.urls import reverse
from django.utils import timezone

from config.api.permissions import OPERATOR, VIEWER
from config.pages import page
from loadtest.signals import library
from loadtest.signals.running import queries
from loadtest.signals.running.models import State
from loadtest.signals.running.state import LIST_TOPIC

PER_PAGE = 50
SHOWN = {"": "All", "open": "Running", "finished": "Finished"}


@page(VIEWER)
def signals(request: HttpRequest) -> HttpResponse:
    """All scenarios that the reader may see."""
    return render(request, "signals/list.html", _listed(request) | {"library": library.scenarios()})


@page(VIEWER)
def rows(request: HttpRequest) -> HttpResponse:
    """The same rows with fresh figures."""
    return render(request, "signals/rows.html", _listed(request))


def _listed(request: HttpRequest) -> dict[str, Any]:
    found, now = queries.listed(request.principal), timezone.now()
    any_at_all = found.exists()
    wanted = request.GET.get("state", "") if request.GET.get("state") in SHOWN else ""
    if wanted:
        found = found.filter(state=State.FINISHED) if wanted == "finished" else found.open()
    if text := request.GET.get("q", "").replace("\x00", "").strip()[:200]:
        found = found.filter(name__icontains=text) | found.filter(scenario_name__icontains=text)
    shown = Paginator(found, PER_PAGE).get_page(request.GET.get("page"))
    return {
        "page": shown,
        "rows": [{"row": row, "stats": queries.stats(row, now)} for row in shown.object_list],
        "states": SHOWN.items(),
        "wanted": {"state": wanted, "q": text},
        "filtered": bool(wanted or text),
        "any_at_all": any_at_all,
        "topic": LIST_TOPIC,
        "rows_url": f"{reverse('ui:signal-rows')}?{request.GET.urlencode()}",
        "may_operate": request.principal.may_open(OPERATOR),
    }
