"""The list of runs, with filters and pages."""

from typing import Any
from urllib.parse import urlencode

from django.core.paginator import Paginator
from django.db.models import F, Q
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.urls import reverse

from config.api.permissions import VIEWER
from config.pages import page
from loadtest.frame import frame
from loadtest.runs.models import Kind, Run, RunQuerySet, Status
from loadtest.runs.state import LIST_TOPIC
from loadtest.runs.ui import subject
from loadtest.workspace.models import SavedRequest

PER_PAGE = 50
KINDS = {Kind.LOAD.value: "Load tests", Kind.DESIGN.value: "Sent by hand"}


@page(VIEWER)
def runs(request: HttpRequest) -> HttpResponse:
    """All runs, the newest first; filters and page are in the address."""
    context = listed(request) | {"kinds": KINDS.items(), "statuses": Status.choices}
    context["none_at_all"] = not context["rows"] and not Run.objects.visible().exists()
    return render(request, "loadtest/runs.html", context)


@page(VIEWER)
def rows(request: HttpRequest) -> HttpResponse:
    """The same rows with fresh figures."""
    return render(request, "loadtest/run_rows.html", listed(request))


def listed(request: HttpRequest) -> dict[str, Any]:
    """What the rows' template reads."""
    wanted = chosen(request)
    found = filtered(Run.objects.visible().light(), wanted).annotate(
        summary=F("report__summary"), latency=F("report__latency"), took_ms=F("result__latencyMs")
    )
    shown = Paginator(found.newest_first(), PER_PAGE).get_page(request.GET.get("page"))
    names = subject.names_of(shown.object_list)
    table = [
        {
            "run": run,
            "title": subject.title(run, names),
            "state": subject.state(run, {"summary": run.summary, "latency": run.latency}),
            "mode": subject.mode_word(run),
            "measured": bool((run.summary or {}).get("totalRequests")),
        }
        for run in shown.object_list
    ]
    return {
        **frame(request, "runs"),
        "page": shown,
        "rows": table,
        "wanted": wanted,
        "filtered": any(value for name, value in wanted.items() if name != "kind") or wanted["kind"] != Kind.LOAD,
        "topic": LIST_TOPIC,
        "rows_url": f"{reverse('ui:load-run-rows')}?{request.GET.urlencode()}",
        "api_path": "/api/loadtest/runs?" + urlencode({"type": wanted["kind"] or Kind.LOAD, "limit": PER_PAGE}),
    }


def chosen(request: HttpRequest) -> dict[str, str]:
    """The filters of the address; what is not known counts as not chosen. Load tests are listed unless asked."""
    given = {name: request.GET.get(name, "").replace("\x00", "").strip()[:200] for name in ("kind", "status", "q")}
    given["kind"] = given["kind"] if given["kind"] in (*KINDS, "all") else Kind.LOAD.value
    given["status"] = given["status"] if given["status"] in Status.values else ""
    given["pinned"] = "yes" if request.GET.get("pinned") == "yes" else ""
    return given


def filtered(found: RunQuerySet, wanted: dict[str, str]) -> RunQuerySet:
    if wanted["kind"] != "all":
        found = found.filter(kind=wanted["kind"])
    if wanted["status"]:
        found = found.filter(status=wanted["status"])
    if wanted["pinned"]:
        found = found.filter(pinned=True)
    if q := wanted["q"]:
        named = SavedRequest.objects.filter(name__icontains=q).values("pk")
        found = found.filter(Q(request_id__in=named) | Q(config__url__icontains=q) | Q(config__comment__icontains=q))
    return found
