"""The editor: a scenario as text, looked at before it starts, with the line of what is wrong."""

from typing import Any

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils import timezone

from config.api.errors import ApiError, NotFound
from config.api.permissions import OPERATOR
from config.pages import page
from loadtest.signals import library
from loadtest.signals.running import accepting, services
from loadtest.signals.ui.preview import ahead
from security.accounts.models import Team

AROUND = 3  # lines shown before and after the one that is wrong
MOST_PREVIEWED = 6
KIND = "application/yaml"  # JSON is a subset of it


@page(OPERATOR)
def new(request: HttpRequest) -> HttpResponse:
    """Choose a ready scenario or write one, look at what it will send, start it."""
    chosen = request.GET.get("ready", "")
    ready = library.scenario(chosen) if chosen else None
    if chosen and ready is None:
        raise NotFound(f"There is no ready scenario '{chosen[:60]}'")
    body = request.POST.get("body", "") if request.method == "POST" else ready.body if ready else ""
    context: dict[str, Any] = {"body": body, "library": library.scenarios(), "ready": ready, "team": _team(request)}
    context["teams"] = _teams(request)
    if request.method != "POST":
        return render(request, "signals/new.html", context | (_previewed(body) if ready else {}))
    raw = body.replace("\r\n", "\n").encode(errors="replace")
    try:
        if "look" in request.POST:
            return render(request, "signals/new.html", context | _previewed(body))
        rows, document = services.start(
            body=raw, content_type=KIND, actor=request.principal, team_id=_team(request) or None, request=request
        )
    except ApiError as fault:
        return render(request, "signals/new.html", context | {"fault": _fault(body, fault)}, status=422)
    for warning in document.warnings:
        messages.warning(request, warning)
    messages.success(
        request, f"{rows[0].name} is started." if len(rows) == 1 else f"{len(rows)} scenarios are started."
    )
    return redirect("ui:signal", pk=rows[0].pk) if len(rows) == 1 else redirect("ui:signals")


def _team(request: HttpRequest) -> str:
    return request.POST.get("team", "")[:64]


def _teams(request: HttpRequest) -> list[tuple[str, str]]:
    """Teams in whose name this person may start something; "" where none is needed."""
    principal = request.principal
    may = [team for team, _ in principal.teams.items() if principal.may(OPERATOR, team_id=team)]
    named = list(Team.objects.filter(pk__in=may).order_by("name").values_list("pk", "name"))
    return ([("", "Everyone")] if principal.may(OPERATOR) else []) + named


def _previewed(body: str) -> dict[str, Any]:
    """What it would send from now on; or what is wrong with it."""
    try:
        document = accepting.understood(body.replace("\r\n", "\n").encode(errors="replace"), KIND)
        at_s = timezone.now().timestamp()
        shown = [ahead(entry, at_s=at_s) for entry in document.entries[:MOST_PREVIEWED]]
    except ApiError as fault:
        return {"fault": _fault(body, fault)}
    return {
        "previews": [one | {"src": f"#{place}"} for place, one in enumerate(shown)],
        "warnings": document.warnings,
        "more": len(document.entries) - len(shown),
    }


def _fault(body: str, fault: ApiError) -> dict[str, Any]:
    """The sentence, and the lines around the place with the wrong one marked."""
    line = getattr(fault, "line", None)
    every = body.splitlines()
    told = {"text": fault.message, "line": line, "column": getattr(fault, "column", None), "lines": []}
    if line and line <= len(every):
        first = max(1, line - AROUND)
        told["lines"] = [(n, every[n - 1], n == line) for n in range(first, min(len(every), line + AROUND) + 1)]
    return told
