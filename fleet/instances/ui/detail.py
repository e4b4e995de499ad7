"""One instance: its state, what it reports, what happened to it, and what may be done with it."""

from datetime import timedelta
from typing import Any

from django.conf import settings
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import render
from django.utils import timezone

from config.api.permissions import OPERATOR, VIEWER
from config.pages import page
from fleet.instances import beside, queries
from fleet.instances.listing import state_of
from fleet.instances.models import Instance
from fleet.instances.timeline import told
from fleet.lifecycle.offers import doable
from fleet.lifecycle.queries import backups
from fleet.metrics import panels

EVENTS, BACKUPS = 20, 10
CHARTS = ("cpu", "memory", "disk", "network")
PARTS = {
    "chip": "fleet/instance_chip.html",
    "actions": "fleet/instance_actions.html",
    "now": "fleet/instance_now.html",
    "activity": "fleet/instance_activity.html",
    "backups": "fleet/instance_backups.html",
}


@page(VIEWER)
def instance(request: HttpRequest, pk: str) -> HttpResponse:
    """The overview of one instance."""
    found, now = queries.get_visible(instance_id=pk, principal=request.principal), timezone.now()
    span = panels.span_of(request.GET, now=now)
    charts = panels.of_instance(found, CHARTS, span, now=now, principal=request.principal)
    context = {**about(request, found), **activity(found), "tab": "overview", "span": span, "charts": charts}
    context["backups"] = backups(found, limit=BACKUPS)
    return render(request, "fleet/instance.html", context)


@page(VIEWER)
def metrics(request: HttpRequest, pk: str) -> HttpResponse:
    """A chart for each metric over a range that the reader chooses."""
    found, now = queries.get_visible(instance_id=pk, principal=request.principal), timezone.now()
    span = panels.span_of(request.GET, now=now)
    every = panels.of_instance(found, list(panels.TITLES), span, now=now, principal=request.principal)
    charts = [panel for panel in every if panel.has_data] or every[:1]
    context = {**about(request, found), "tab": "metrics", "span": span, "charts": charts}
    context |= {"step": panels.step_words(charts), "api_path": charts[0].src}
    context["missing"] = [panel.title for panel in every if not panel.has_data]
    return render(request, "fleet/instance_metrics.html", context)


@page(VIEWER)
def part(request: HttpRequest, pk: str, name: str) -> HttpResponse:
    """One part of the page, for the live update."""
    if name not in PARTS:
        raise Http404
    found = queries.get_visible(instance_id=pk, principal=request.principal)
    context = about(request, found) | (activity(found) if name == "activity" else {})
    if name == "backups":
        context["backups"] = backups(found, limit=BACKUPS)
    return render(request, PARTS[name], context)


def about(request: HttpRequest, found: Instance) -> dict[str, Any]:
    """What every page and part of an instance shows."""
    now = timezone.now()
    return {
        "instance": found,
        "state": state_of(found, now),
        "reporting": found.online_at(now),
        "sample": found.last_sample or {},
        "stale_after_s": settings.OFFLINE_AFTER_S,
        "started_at": found.last_seen_at - timedelta(seconds=found.uptime_s)
        if found.last_seen_at and found.uptime_s is not None
        else None,
        **doable(found, request.principal),
        "may_connect": request.principal.may(OPERATOR, team_id=found.team_id),
        "api_path": f"/api/v1/instances/{found.pk}",
    }


def activity(found: Instance) -> dict[str, Any]:
    processes, reported_at = queries.processes(found)
    events = queries.events(found, limit=EVENTS)
    return {
        "processes": processes,
        "processes_at": reported_at,
        "events": [told(event) for event in events],
        "told_facts": beside.facts(found),
    }
