"""The pages of logs: search, lines, bars by level, and what following needs."""

from typing import Any

from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import render
from django.urls import reverse
from django.utils import timezone

from config.api.permissions import VIEWER
from config.ids import moment_of
from config.pages import page
from fleet.instances.listing import state_of
from fleet.instances.models import Instance
from fleet.instances.queries import get_visible
from fleet.logs import download, drawing, queries
from fleet.logs.asking import LEVELS, Question, question
from fleet.logs.entries import Entry
from fleet.logs.histogram import histogram
from fleet.logs.models import Level, Source
from fleet.logs.queries import Filters

PER_PAGE = 100
BETWEEN = {"range": "", "from": "", "to": ""}
AROUND = 20
MOST_FOLLOWED = 200  # instances, and lines at once


@page(VIEWER)
def logs(request: HttpRequest) -> HttpResponse:
    """Lines of all instances that the reader may see."""
    asked = question(request.GET, request.principal, now=timezone.now())
    return render(request, "fleet/logs.html", about(request, asked, reverse("ui:logs")))


@page(VIEWER)
def instance_logs(request: HttpRequest, pk: str) -> HttpResponse:
    """Lines of one instance."""
    found, now = get_visible(instance_id=pk, principal=request.principal), timezone.now()
    asked = question(request.GET, request.principal, now=now, instance=found)
    context = about(request, asked, reverse("ui:instance-logs", kwargs={"pk": found.pk}))
    context |= {"instance": found, "state": state_of(found, now), "tab": "logs", "fixed": True}
    return render(request, "fleet/logs_instance.html", context)


@page(VIEWER)
def rows(request: HttpRequest) -> HttpResponse:
    """Of the lines `ids`, those that pass the filters: what a page that follows adds at its top."""
    asked = question(request.GET, request.principal, now=timezone.now())
    ids = [one for one in request.GET.get("ids", "").split(",") if one][:MOST_FOLLOWED]
    found = queries.among(asked.filters, request.principal, ids)
    return render(request, "fleet/log_rows.html", {"lines": shown(found, request), "asked": asked})


@page(VIEWER)
def file(request: HttpRequest) -> HttpResponse:
    """The lines as a file: text, or JSON lines with `format=jsonl`."""
    asked = question(request.GET, request.principal, now=timezone.now())
    kind = request.GET.get("format", "text")
    if kind not in download.KINDS:
        raise Http404
    content_type, ending = download.KINDS[kind]
    body = download.file(asked.filters, request.principal, kind=kind)
    headers = {"Content-Disposition": f'attachment; filename="logs.{ending}"', "X-Content-Type-Options": "nosniff"}
    return HttpResponse(body, content_type=content_type, headers=headers)


def about(request: HttpRequest, asked: Question, url: str) -> dict[str, Any]:
    """What a page of logs shows."""
    principal, given = request.principal, request.GET
    found = histogram(asked.filters, principal, since=asked.span.since, until=asked.span.until)
    context: dict[str, Any] = {
        "asked": asked,
        "url": url,
        "histogram": found,
        "bars": drawing.bars(found),
        "between": asked.address(
            range="", **{"from": asked.span.since.isoformat(), "to": asked.span.until.isoformat()}
        ),
        "longer": f"{url}?{asked.address(range='7d', **{'from': '', 'to': ''})}",
        "levels": [(level.name, found.by_level[level]) for level in reversed(Level)],
        "level_choices": [(name, text) for name, (text, _) in LEVELS.items()],
        "sources": [source.name for source in Source],
        "most_lines": download.MOST_LINES,
        "api_path": f"/api/v1/logs?{asked.api_query}".rstrip("?"),
    }
    if around := given.get("around", ""):
        return context | {"lines": shown(beside(around, principal), request), "around": around, "around_each": AROUND}
    before = given.get("before", "") if moment_of(given.get("before", "")) is not None else ""
    lines = queries.older(asked.filters, principal, before=before, limit=PER_PAGE + 1)
    context |= {"lines": shown(lines[:PER_PAGE], request), "before": before}
    if len(lines) > PER_PAGE:
        context["older"] = lines[PER_PAGE - 1].id
    if not lines:
        context["none_at_all"] = not (asked.is_narrow or queries.older(Filters(), principal, limit=1))
    if asked.span.name and not before:
        context |= following(asked, principal)
    return context


def beside(entry_id: str, principal: Any) -> list[Entry]:
    """A line with those of its instance around it. Raises NotFound."""
    line = queries.one(entry_id, principal)
    same = Filters(instance_id=line.instance_id)
    later = queries.newer(same, principal, after=line.id, limit=AROUND)
    return [*later, line, *queries.older(same, principal, before=line.id, limit=AROUND)]


def following(asked: Question, principal: Any) -> dict[str, str]:
    """Where new lines come from; nothing when they are of more instances than one stream serves."""
    if asked.instance:
        return {"stream": f"/api/v1/instances/{asked.instance.pk}/logs/stream"}
    seen = Instance.objects.visible_to(principal).existing().order_by("pk").values_list("pk", flat=True)
    ids = list(seen[: MOST_FOLLOWED + 1])
    return {"stream": f"/api/v1/logs/stream?instanceIds={','.join(ids)}"} if 0 < len(ids) <= MOST_FOLLOWED else {}


def shown(entries: list[Entry], request: HttpRequest) -> list[dict[str, Any]]:
    """Lines with the names of their instances, their time in the reader's zone, and their address."""
    ids = {entry.instance_id for entry in entries}
    seen = Instance.objects.visible_to(request.principal).filter(pk__in=ids)
    names = dict(seen.values_list("pk", "name"))
    url = request.build_absolute_uri(reverse("ui:logs"))
    return [
        {
            "entry": entry,
            "name": names.get(entry.instance_id, entry.instance_id),
            "clock": f"{timezone.localtime(entry.at):%d %b %H:%M:%S}.{entry.at.microsecond // 1000:03}",
            "fields": list((entry.metadata or {}).items()),
            "link": f"{url}?around={entry.id}",
        }
        for entry in entries
    ]
