"""The first page: is anything wrong, then the evidence. It lies in the top app because it looks at all the others."""

from datetime import datetime
from typing import Any

from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import render
from django.utils import timezone

from alerts.overview import needs, queries
from config.api.authentication import Principal
from config.api.permissions import ADMIN, OPERATOR, VIEWER
from config.pages import page
from fleet.instances.models import Instance
from fleet.metrics import panels

CHARTS = ("cpu", "memory", "disk", "network")
# Each part of the page is fetched by itself when something that it shows has moved.
PARTS = ("figures", "outlook", "needs", "machines", "monitors", "places", "deployments", "events")


@page(VIEWER)
def overview(request: HttpRequest) -> HttpResponse:
    context: dict[str, Any] = {}
    for name in PARTS:
        context |= content(request, name)
    now = timezone.now()
    span = panels.span_of(request.GET, now=now)
    context |= {"span": span, **offers(request)}
    if context["figures"]["instances"]["all"]:
        context["charts"] = charts(request.principal, span, now)
    return render(request, "alerts/overview.html", context)


def offers(request: HttpRequest) -> dict[str, bool]:
    """The first steps that this person may take."""
    return {"may_add": request.principal.may_somewhere(OPERATOR), "may_demo": request.principal.may(ADMIN)}


def charts(principal: Principal, span: panels.Span, now: datetime) -> list[panels.Panel]:
    """The fleet's charts; of a single machine its own, with every sample: mean and highest would be one curve."""
    visible = list(Instance.objects.visible_to(principal).existing()[:2])
    if len(visible) == 1:
        return panels.of_instance(visible[0], CHARTS, span, now=now, principal=principal)
    return panels.of_fleet(principal, CHARTS, span, now=now)


@page(VIEWER)
def part(request: HttpRequest, name: str) -> HttpResponse:
    """One part of the overview, for the live update. Once there is something, the empty page is loaded anew."""
    if name == "empty":
        answer = render(request, "alerts/overview_empty.html", offers(request))
        if Instance.objects.visible_to(request.principal).existing().exists():
            answer["HX-Refresh"] = "true"
        return answer
    if name not in PARTS:
        raise Http404
    return render(request, f"alerts/overview_{name}.html", content(request, name))


def content(request: HttpRequest, name: str) -> dict[str, Any]:
    """What the template of a part reads."""
    now, principal = timezone.now(), request.principal
    if name == "figures":
        return {"figures": queries.figures(principal, now)}
    if name == "outlook":
        return {"outlook": queries.outlook(principal, now)}
    if name == "needs":
        return {"needs": needs.needs(principal, now), "may_acknowledge": principal.may(OPERATOR)}
    if name == "machines":
        return {"machines": queries.busiest(principal, now)}
    if name == "monitors":
        rows, count = queries.monitors_at_a_glance()
        return {"monitors": rows, "monitor_count": count}
    if name == "places":
        return {"places": queries.places(principal, now)}
    if name == "deployments":
        return {"deployments": queries.deployed(now)}
    return {"events": queries.events(principal)}


@page(VIEWER)
def header_state(request: HttpRequest) -> HttpResponse:
    """The count of open critical alerts in every page's header, for the live update."""
    return render(request, "partials/header_state.html")
