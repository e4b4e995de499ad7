"""The page of further metrics of an instance: what collectors told, by name, with charts."""

from typing import Any
from urllib.parse import urlencode

from django.core.paginator import Paginator
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.utils import timezone

from config.api.permissions import VIEWER
from config.pages import page
from fleet.collectors.series import charts, queries
from fleet.instances.listing import state_of
from fleet.instances.models import Instance
from fleet.instances.queries import get_visible
from fleet.metrics import panels

PER_PAGE = 50
MOST_CHARTS = 6
MAX_POINTS = 300
LONGEST = 255


@page(VIEWER)
def series(request: HttpRequest, pk: str) -> HttpResponse:
    """Names with a search; those that the address chooses as charts above."""
    found, now = get_visible(instance_id=pk, principal=request.principal), timezone.now()
    span = panels.span_of(request.GET, now=now)
    search = request.GET.get("q", "").strip().replace("\x00", "")[:LONGEST]
    chosen = list(dict.fromkeys(name[:LONGEST] for name in request.GET.getlist("name") if "\x00" not in name))
    shown = Paginator(queries.names(found, search=search), PER_PAGE).get_page(request.GET.get("page"))
    context = {
        "instance": found,
        "state": state_of(found, now),
        "tab": "metrics",
        "span": span,
        "search": search,
        "chosen": chosen,
        "charts": [_chart(found, name, span) for name in chosen[:MOST_CHARTS]],
        "page": shown,
        "api_path": f"/api/v1/instances/{found.pk}/series",
    }
    return render(request, "fleet/series.html", context)


def _chart(instance: Instance, name: str, span: panels.Span) -> dict[str, Any]:
    """What the tag `chart` takes, and how many series are not in it."""
    every = queries.of_instance(instance, name=name)
    total, some = every.count(), list(every[: charts.MOST_CURVES])
    query = urlencode({"name": name, "maxPoints": MAX_POINTS, **span.query})
    curves = f"{len(some)} of {total} curves, " if total > len(some) else ""
    return {
        "title": name,
        "subtitle": f"{curves}{span.words}",
        "src": f"/api/v1/instances/{instance.pk}/series/chart?{query}",
        "data": charts.chart(some, since=span.since, until=span.until, max_points=MAX_POINTS),
    }
