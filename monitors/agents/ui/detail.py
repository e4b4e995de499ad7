"""One agent: how it does, its last day, what runs on it; and its end."""

from datetime import datetime
from typing import Any

from django.contrib import messages
from django.db.models import F
from django.http import HttpRequest, HttpResponse, JsonResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils import timezone

from config.api.errors import ApiError, NotFound
from config.api.permissions import ADMIN, VIEWER
from config.pages import page
from monitors.agents import queries, services
from monitors.agents.load import load_of
from monitors.agents.models import DEFAULT, Agent
from monitors.monitors.models import Monitor

MONITORS_SHOWN, DAY_MINUTES = 20, 24 * 60
CHARTS = {
    "machine": (("CPU", "cpu_percent", "%"), ("Memory", "memory_percent", "%")),
    "runs": (("Active runs", "active_runs", ""),),
}
TITLES = {"machine": "CPU and memory", "runs": "Active runs"}


@page(VIEWER)
def agent(request: HttpRequest, id: str) -> HttpResponse:
    """State, figures, the last day as charts, monitors and runs."""
    found, now = get(id), timezone.now()
    context = about(request, found, now) | {
        "charts": [
            (TITLES[name], reverse("ui:agent-chart", args=[found.pk, name]), data) for name, data in lines(found, now)
        ],
        "may_change": request.principal.may(ADMIN) and found.pk != DEFAULT,
        "api_path": f"/api/agents/{found.pk}/metrics",
    }
    return render(request, "monitors/agent.html", context)


@page(VIEWER)
def now(request: HttpRequest, id: str) -> HttpResponse:
    """The part that moves by itself."""
    return render(request, "monitors/agent_now.html", about(request, get(id), timezone.now()))


@page(VIEWER)
def chart(request: HttpRequest, id: str, name: str) -> JsonResponse:
    """The data of one chart."""
    if name not in CHARTS:
        raise NotFound(f"There is no chart '{name[:50]}'")
    return JsonResponse(dict(lines(get(id), timezone.now()))[name])


@page(ADMIN)
def remove(request: HttpRequest, id: str) -> HttpResponse:
    """Ask for the name, then take the agent away; its monitors go to the platform's own workers."""
    found = get(id)
    if found.pk == DEFAULT:
        raise NotFound("The platform's own workers cannot be removed")
    wrong = request.method == "POST" and request.POST.get("confirm", "").strip() != found.name
    fault = ""
    if request.method == "POST" and not wrong:
        try:
            reassign = "reassign" in request.POST
            services.remove(agent=found, reassign=reassign, actor=request.principal, request=request)
        except ApiError as refusal:
            fault = refusal.message
        else:
            messages.success(request, f"{found.name} is removed.")
            return redirect("ui:agents")
    pinned = Monitor.objects.filter(agent=found)
    context = {"agent": found, "wrong": wrong, "fault": fault, "monitor_count": pinned.count()}
    context["monitors"] = pinned.by_name()[:5]
    return render(request, "monitors/agent_remove.html", context, status=422 if wrong or fault else 200)


def get(id: str) -> Agent:
    found = services.get_agent(id)
    if found is None:
        raise NotFound(f"Agent '{id[:64]}' not found")
    return found


def about(request: HttpRequest, found: Agent, now: datetime) -> dict[str, Any]:
    pinned = Monitor.objects.filter(agent=found)
    return {
        "agent": found,
        "load": load_of(found, now),
        "runs_today": queries.runs_by_agent(now).get(found.pk, 0),
        # The newest result of each monitor stands on its row: the runs of an agent have no index, and need none.
        "monitors": pinned.order_by(F("last_run_at").desc(nulls_last=True), "pk")[:MONITORS_SHOWN],
        "monitor_count": pinned.count(),
        "workers": found.workers.online(now).order_by("host", "pk")[:50],
        "now_url": reverse("ui:agent-now", args=[found.pk]),
    }


def lines(found: Agent, now: datetime) -> list[tuple[str, dict[str, Any]]]:
    """Each chart's name and data of the last 24 hours, a point a minute. Unknown values are gaps."""
    samples = queries.history(found, now, DAY_MINUTES, load_of(found, now))
    begin = int(samples[0].at.timestamp()) if samples else int(now.timestamp()) - 3600
    return [
        (
            name,
            {
                "series": [
                    {
                        "label": label,
                        "unit": unit,
                        "points": [[int(one.at.timestamp()), getattr(one, column)] for one in samples],
                    }
                    for label, column, unit in columns
                ],
                "from": begin,
                "to": int(now.timestamp()),
                "step": 60,
            },
        )
        for name, columns in CHARTS.items()
    ]
