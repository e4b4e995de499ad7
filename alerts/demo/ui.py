"""The page of the demo data: load it, or take it away again [ADMIN]."""

from typing import Any

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render

from alerts.demo import queries, services
from config.api.errors import Conflict
from config.api.permissions import ADMIN, VIEWER
from config.pages import page


def facts(request: HttpRequest) -> dict[str, Any]:
    return {"demo": queries.current(), "may_change": request.principal.may(ADMIN)}


@page(VIEWER)
def demo(request: HttpRequest) -> HttpResponse:
    """What demo data is, and whether there is some."""
    return render(request, "alerts/demo.html", facts(request))


@page(ADMIN)
def load(request: HttpRequest) -> HttpResponse:
    """Ask for it by POST; the overview fills by itself."""
    if request.method != "POST":
        return redirect("ui:demo")
    try:
        services.ask(actor=request.principal, request=request)
    except Conflict as refusal:
        messages.error(request, refusal.message)
    else:
        messages.success(request, "Demo data is on its way. This page fills by itself in some seconds.")
    return redirect("ui:overview")


@page(ADMIN)
def remove(request: HttpRequest) -> HttpResponse:
    """Take it away by POST."""
    if request.method != "POST":
        return redirect("ui:demo")
    if services.remove(actor=request.principal, request=request):
        messages.success(request, "Demo data removed. Nothing else was touched.")
    return redirect("ui:demo")
