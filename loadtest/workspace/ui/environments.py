"""Environments and the globals: lists of variables."""

from typing import Any

from django.contrib import messages
from django.core.paginator import Paginator
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse

from config.api.errors import ApiError, NotFound
from config.api.permissions import OPERATOR, VIEWER, require
from config.pages import page
from loadtest.frame import frame
from loadtest.workspace import environments as services
from loadtest.workspace.models import Environment, Globals
from loadtest.workspace.ui.variables import TYPES, variable_rows, variables_of

PER_PAGE = 50


@page(VIEWER)
def environments(request: HttpRequest) -> HttpResponse:
    """All environments, with the globals first."""
    shown = Paginator(Environment.objects.order_by("created_at", "pk"), PER_PAGE).get_page(request.GET.get("page"))
    shared = Globals.objects.first()
    context = {
        "page": shown,
        "rows": [(row, len(row.variables)) for row in shown.object_list],
        "globals_count": len(shared.variables) if shared else 0,
        "globals_updated_at": shared.updated_at if shared else None,
    }
    return render(request, "loadtest/environments.html", frame(request, "environments") | context)


@page(OPERATOR)
def new(request: HttpRequest) -> HttpResponse:
    return edited(request, None, {})


@page(VIEWER, write=OPERATOR)
def environment(request: HttpRequest, pk: str) -> HttpResponse:
    """Change an environment; who only reads sees it without its secrets."""
    row = get(pk)
    return edited(request, row, services.shown(row, clear=False))


def edited(request: HttpRequest, row: Environment | None, shown: dict[str, Any]) -> HttpResponse:
    fault = ""
    if request.method == "POST":
        require(request.principal, OPERATOR)
        sent = {
            **({"id": row.pk} if row else {}),
            "name": request.POST.get("name", "").strip(),
            "description": request.POST.get("description", "").strip(),
            "isActive": "active" in request.POST,
            "variables": variables_of(request.POST, row.variables if row else {}),
        }
        try:
            made = services.save_environment(body=sent, actor=request.principal)
        except ApiError as refusal:
            shown, fault = shown | sent, refusal.message
        else:
            messages.success(request, f"{made.name} is saved.")
            return redirect("ui:load-environments")
    return form(request, fault, shown=shown, row=row, api_path="/api/loadtest/environments")


@page(VIEWER, write=OPERATOR)
def shared(request: HttpRequest) -> HttpResponse:
    """The globals: variables that every request sees unless something nearer defines them."""
    row, fault = Globals.objects.first(), ""
    shown = services.shown_globals(row, clear=False)
    if request.method == "POST":
        require(request.principal, OPERATOR)
        sent = {"variables": variables_of(request.POST, row.variables if row else {})}
        try:
            services.save_globals(body=sent, actor=request.principal)
        except ApiError as refusal:
            shown, fault = shown | sent, refusal.message
        else:
            messages.success(request, "The globals are saved.")
            return redirect("ui:load-environments")
    return form(request, fault, shown=shown, is_globals=True, api_path="/api/loadtest/globals")


@page(OPERATOR)
def delete(request: HttpRequest, pk: str) -> HttpResponse:
    require(request.principal, OPERATOR)
    row = get(pk)
    if request.method == "POST":
        services.delete_environment(key=pk, actor=request.principal)
        messages.success(request, f"{row.name} is deleted.")
        return redirect("ui:load-environments")
    context = {
        "name": row.name,
        "noun": "environment",
        "text": "Requests that name its variables are sent without their values.",
        "back_url": reverse("ui:load-environment", args=[pk]),
    }
    return render(request, "loadtest/delete.html", frame(request, "environments") | context)


def get(pk: str) -> Environment:
    found = Environment.objects.filter(pk=pk).first()
    if found is None:
        raise NotFound(f"Environment '{pk}' not found")
    return found


def form(request: HttpRequest, fault: str, *, shown: dict[str, Any], **more: Any) -> HttpResponse:
    context = {"shown": shown, "fault": fault, "rows": variable_rows(shown.get("variables") or {}), "types": TYPES}
    return render(
        request,
        "loadtest/environment.html",
        frame(request, "environments") | context | more,
        status=422 if fault else 200,
    )
