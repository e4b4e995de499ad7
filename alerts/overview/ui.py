"""The first page: is anything wrong, then the evidence. It lies in the top app because it looks at all the others."""

from typing import Any

from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import render
from django.utils import timezone

from alerts.overview import queries
from alerts.overview import status as platform
from config.api.permissions import OPERATOR, VIEWER
from config.pages import page
from fleet.metrics import panels

# Each part of the page is fetched by itself when something that it shows has moved.
PARTS = ("figures", "needs", "monitors", "places", "events")


@page(VIEWER)
def overview(request: HttpRequest) -> HttpResponse:
    context: dict[str, Any] = {}
    for name in PARTS:
        context |= content(request, name)
    now = timezone.now()
    span = panels.span_of(request.GET, now=now)
    context |= {"span": span, "may_add": request.principal.may_somewhere(OPERATOR)}
    if context["figures"]["instances"]["all"]:
        context["charts"] = panels.of_fleet(request.principal, ("cpu", "memory", "disk"), span, now=now)
    return render(request, "alerts/overview.html", context)


@page(VIEWER)
def part(request: HttpRequest, name: str) -> HttpResponse:
    """One part of the overview, for the live update."""
    if name not in PARTS:
        raise Http404
    return render(request, f"alerts/overview_{name}.html", content(request, name))


def content(request: HttpRequest, name: str) -> dict[str, Any]:
    """What the template of a part reads."""
    now, principal = timezone.now(), request.principal
    if name == "figures":
        return {"figures": queries.figures(principal, now)}
    if name == "needs":
        return {"needs": queries.needs(principal, now), "may_acknowledge": principal.may(OPERATOR)}
    if name == "monitors":
        rows, count = queries.monitors_at_a_glance()
        return {"monitors": rows, "monitor_count": count}
    if name == "places":
        return {"places": queries.places(principal, now)}
    return {"events": queries.events(principal)}


@page(VIEWER)
def header_state(request: HttpRequest) -> HttpResponse:
    """The count of open critical alerts in every page's header, for the live update."""
    return render(request, "partials/header_state.html")


@page(VIEWER)
def status(request: HttpRequest) -> HttpResponse:
    """How the platform itself is; the page asks again every 5 s, also while live events do not work."""
    now = timezone.now()
    facts = {
        "now": now,
        "about": platform.about(),
        "parts": platform.parts(),
        "queues": platform.queues(now),
        "workers": platform.workers(now),
    }
    return render(request, "config/status_body.html" if request.htmx else "config/status.html", facts)
