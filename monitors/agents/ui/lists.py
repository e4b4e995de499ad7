"""The list of agents."""

from typing import Any

from django.core.paginator import Paginator
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.urls import reverse
from django.utils import timezone

from config.api.permissions import ADMIN, VIEWER
from config.pages import page
from monitors.agents import queries
from monitors.agents.load import loads_of
from monitors.agents.models import Agent
from monitors.agents.services import default_agent

PER_PAGE = 50


@page(VIEWER)
def agents(request: HttpRequest) -> HttpResponse:
    """Who makes runs, where, and how busy each one is."""
    return render(request, "monitors/agents.html", listed(request) | {"may_add": request.principal.may(ADMIN)})


@page(VIEWER)
def rows(request: HttpRequest) -> HttpResponse:
    """The same rows with fresh figures."""
    return render(request, "monitors/agent_rows.html", listed(request))


def listed(request: HttpRequest) -> dict[str, Any]:
    default_agent()
    now = timezone.now()
    shown = Paginator(Agent.objects.current().order_by("name", "pk"), PER_PAGE).get_page(request.GET.get("page"))
    found = list(shown.object_list)
    loads, runs = loads_of(found, now), queries.runs_by_agent(now)
    return {
        "page": shown,
        "rows": [{"agent": one, "load": loads[one.pk], "runs": runs.get(one.pk, 0)} for one in found],
        "rows_url": f"{reverse('ui:agent-rows')}?{request.GET.urlencode()}",
    }
