"""The list of monitors, and its rows that move by themselves."""

from collections.abc import Mapping
from typing import Any
from urllib.parse import urlencode
from uuid import UUID

from django.core.paginator import Paginator
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.urls import reverse

from config.api.errors import Invalid
from config.api.permissions import OPERATOR, VIEWER
from config.pages import page
from monitors.monitors import cron, queries
from monitors.monitors.models import Monitor, Tool
from monitors.runs.models import Run

PER_PAGE = 50
STATES = {"pass": "Passing", "fail": "Failing", "error": "Error", "timeout": "Timed out", "cancelled": "Cancelled"}


@page(VIEWER)
def monitors(request: HttpRequest) -> HttpResponse:
    """All monitors; filters, grouping and page are in the address."""
    context = listed(request) | {
        "tools": Tool.choices,
        "states": STATES.items(),
        "tags": queries.known_tags(),
        "may_add": request.principal.may(OPERATOR),
    }
    context["none_at_all"] = not context["rows"] and not Monitor.objects.exists()
    return render(request, "monitors/monitors.html", context)


@page(VIEWER)
def rows(request: HttpRequest) -> HttpResponse:
    """The same rows with fresh figures."""
    return render(request, "monitors/monitor_rows.html", listed(request))


def listed(request: HttpRequest) -> dict[str, Any]:
    """What the rows' template reads: the chosen page of monitors, each with its last checks."""
    wanted = chosen(request.GET)
    found = queries.filtered(Monitor.objects.by_name(), wanted)
    if tag := request.GET.get("tag", "").strip()[:50]:
        found = queries.with_tag(found, tag)
    shown = Paginator(found, PER_PAGE).get_page(request.GET.get("page"))
    grouped = request.GET.get("group") == "tag"
    table = rows_of(list(shown.object_list))
    return {
        "page": shown,
        "rows": table,
        "groups": by_tag(table) if grouped else [("", table)],
        "grouped": grouped,
        "wanted": wanted,
        "tag": tag,
        "filtered": bool(wanted or tag),
        "rows_url": f"{reverse('ui:monitor-rows')}?{request.GET.urlencode()}",
        "api_path": "/api/monitors" + (f"?{urlencode(as_query(wanted))}" if wanted else ""),
    }


def chosen(given: Mapping[str, str]) -> dict[str, Any]:
    """The filters of the address; what is not known counts as not chosen."""
    plain = {name: given.get(name, "").replace("\x00", "") for name in ("tool", "enabled", "status", "search")}
    try:
        return queries.filters(plain)
    except Invalid as error:
        return queries.filters({name: value for name, value in plain.items() if name not in (error.details or {})})


def as_query(wanted: Mapping[str, Any]) -> dict[str, str]:
    return {name: str(value).lower() if isinstance(value, bool) else value for name, value in wanted.items()}


def rows_of(found: list[Monitor]) -> list[dict[str, Any]]:
    """Each monitor with its state, last checks and schedule in words; two queries whatever their number."""
    keys: list[UUID] = [monitor.pk for monitor in found]
    checks = queries.last_checks(keys)
    active = dict(Run.objects.active().filter(monitor_id__in=keys).values_list("monitor_id", "status"))
    return [
        {
            "monitor": monitor,
            "state": state_of(monitor),
            "active": active.get(monitor.pk),
            "checks": checks[monitor.pk],
            "words": cron.in_words(monitor.schedule),
            "error_percent": None if monitor.last_error_rate is None else monitor.last_error_rate * 100,
        }
        for monitor in found
    ]


def state_of(monitor: Monitor) -> str:
    """The value for the chip: paused, else the newest result, else nothing yet."""
    return monitor.last_status or "" if monitor.enabled else "paused"


def by_tag(table: list[dict[str, Any]]) -> list[tuple[str, list[dict[str, Any]]]]:
    """The rows below each of their tags, in order of the tags; those without one last."""
    groups: dict[str, list[dict[str, Any]]] = {}
    for row in table:
        for tag in row["monitor"].tags or [""]:
            groups.setdefault(tag, []).append(row)
    return sorted(
        ((tag or "No tag", part) for tag, part in groups.items()), key=lambda item: (item[0] == "No tag", item[0])
    )
