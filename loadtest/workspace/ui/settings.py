"""The engine's settings as a form (contract: load testing §3)."""

from itertools import groupby

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render

from config.api.errors import ApiError
from config.api.permissions import ADMIN, require
from config.pages import page
from loadtest.frame import frame
from loadtest.workspace import settings as services
from loadtest.workspace.registry import REGISTRY

CATEGORIES = {
    "general_engine": "Engine",
    "database_performance": "Database",
    "network_performance": "Network",
    "scripting_sandbox": "Scripts",
    "observability": "Live figures and storage",
}
UNITS = {"ms": "ms", "sec": "seconds", "bytes": "bytes"}


@page(ADMIN)
def settings(request: HttpRequest) -> HttpResponse:
    """All settings, saved together; what is refused changes nothing."""
    require(request.principal, ADMIN)
    fault, typed = "", {}
    if request.method == "POST":
        typed = {key: typed_value(request, key) for key in REGISTRY}
        try:
            services.update(body={"entries": typed}, actor=request.principal)
        except ApiError as refusal:
            fault = refusal.message
        else:
            messages.success(request, "The settings are saved. Runs that start from now on use them.")
            return redirect("ui:load-settings")
    entries = [entry | {"value": typed.get(entry["key"], entry["value"])} for entry in services.shown()["entries"]]
    for entry in entries:
        entry["unit"] = UNITS.get(entry.get("unit", ""), "")
        entry["wrong"] = f"'{entry['key']}'" in fault
    groups = [
        (CATEGORIES[name], list(rows)) for name, rows in groupby(entries, key=lambda entry: str(entry["category"]))
    ]
    context = frame(request, "settings") | {"groups": groups, "fault": fault}
    return render(request, "loadtest/settings.html", context, status=422 if fault else 200)


def typed_value(request: HttpRequest, key: str) -> str:
    if REGISTRY[key].type == "boolean":
        return "true" if key in request.POST else "false"
    return request.POST.get(key, "").strip()
