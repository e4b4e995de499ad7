"""One instance: its state, what it reports, what happened to it, and what may be done with it."""

from datetime import timedelta
from typing import Any

from django.conf import settings
from django.contrib import messages
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils import timezone

from config.api.errors import ApiError
from config.api.permissions import OPERATOR, VIEWER, require
from config.pages import page
from fleet.instances import queries, services
from fleet.instances.listing import state_of
from fleet.instances.models import Instance
from fleet.metrics import panels

EVENTS = 20
# What this release can do with an instance: word, service, and whether a page asks before.
ACTIONS = {
    "suspend": ("Suspend", services.suspend),
    "resume": ("Resume", services.resume),
    "remove": ("Remove", services.deregister),
}
PARTS = {
    "chip": "fleet/instance_chip.html",
    "actions": "fleet/instance_actions.html",
    "now": "fleet/instance_now.html",
    "activity": "fleet/instance_activity.html",
}


@page(VIEWER)
def instance(request: HttpRequest, pk: str) -> HttpResponse:
    """The overview of one instance."""
    found, now = queries.get_visible(instance_id=pk, principal=request.principal), timezone.now()
    span = panels.span_of(request.GET, now=now)
    charts = panels.of_instance(found, ("cpu", "memory", "disk", "network"), span, now=now)
    context = {**about(request, found), **activity(found), "tab": "overview", "span": span, "charts": charts}
    return render(request, "fleet/instance.html", context)


@page(VIEWER)
def metrics(request: HttpRequest, pk: str) -> HttpResponse:
    """A chart for each metric over a range that the reader chooses."""
    found, now = queries.get_visible(instance_id=pk, principal=request.principal), timezone.now()
    span = panels.span_of(request.GET, now=now)
    every = panels.of_instance(found, list(panels.TITLES), span, now=now)
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
    return render(request, PARTS[name], context)


@page(VIEWER, write=OPERATOR)
def act(request: HttpRequest, pk: str, action: str) -> HttpResponse:
    """Suspend, resume or remove by POST; GET asks whether to remove."""
    if action not in ACTIONS:
        raise Http404
    word, service = ACTIONS[action]
    found = queries.get_visible(instance_id=pk, principal=request.principal)
    require(request.principal, OPERATOR, team_id=found.team_id)
    if request.method != "POST":
        if action != "remove":
            raise Http404
        return render(request, "fleet/instance_remove.html", about(request, found) | {"word": word})
    never_seen = found.awaiting_first_contact
    try:
        service(instance=found, actor=request.principal, request=request)
    except ApiError as refusal:
        messages.error(request, refusal.message)
    else:
        messages.success(request, f"{found.name}: {found.get_status_display().lower()}.")
    return redirect("ui:instances") if never_seen else redirect("ui:instance", pk=found.pk)


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
        "actions": offered(request, found),
        "may_connect": request.principal.may(OPERATOR, team_id=found.team_id),
        "api_path": f"/api/v1/instances/{found.pk}",
    }


def offered(request: HttpRequest, found: Instance) -> list[str]:
    """The actions that the state allows and this person may take, least drastic first."""
    if not request.principal.may(OPERATOR, team_id=found.team_id):
        return []
    allowed = services.available_actions(found)
    actions: list[str] = [name for name in ("suspend", "resume") if name in allowed]
    removable = "destroy" in allowed and found.status != "STOPPED"
    return [*actions, "remove"] if removable or found.awaiting_first_contact else actions


def activity(found: Instance) -> dict[str, Any]:
    processes, reported_at = queries.processes(found)
    events = queries.events(found, limit=EVENTS)
    return {"processes": processes, "processes_at": reported_at, "events": [told(event) for event in events]}


def told(event: Any) -> dict[str, Any]:
    """An event in words."""
    facts = event.metadata or {}
    by = f"by {facts['by']}" if facts.get("by") else ""
    silent = f"silent for {facts['silent_s']} s" if facts.get("silent_s") else ""
    return {"event": event, "detail": ", ".join(filter(None, (by, silent)))}
