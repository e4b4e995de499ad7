"""The page of one scenario: what it does now, what it sent last, how it is set up."""

import json
from typing import Any

from django.http import HttpRequest, HttpResponse, JsonResponse
from django.shortcuts import render
from django.urls import reverse
from django.utils import timezone

from config.api.errors import NotFound
from config.api.permissions import OPERATOR, VIEWER
from config.pages import page
from loadtest.signals.running import queries
from loadtest.signals.running.models import Chunk, Scenario, Snapshot
from loadtest.signals.running.state import topic
from loadtest.signals.ui.lines import curves

PARTS = {"now": "signals/now.html"}


@page(VIEWER)
def signal(request: HttpRequest, pk: str) -> HttpResponse:
    row = queries.get_visible(scenario_id=pk, principal=request.principal)
    return render(request, "signals/signal.html", _about(request, row) | {"chart": chart_of(row)})


@page(VIEWER)
def part(request: HttpRequest, pk: str, name: str) -> HttpResponse:
    """One part of the page with fresh figures."""
    if name not in PARTS:
        raise NotFound(f"There is no part '{name}'")
    row = queries.get_visible(scenario_id=pk, principal=request.principal)
    return render(request, PARTS[name], _about(request, row))


@page(VIEWER)
def chart(request: HttpRequest, pk: str) -> JsonResponse:
    """The last values, those that a scraper has taken left out."""
    return JsonResponse(chart_of(queries.get_visible(scenario_id=pk, principal=request.principal)))


def chart_of(row: Scenario) -> dict[str, Any]:
    """The newest lines of the scrape buffer as curves; looking at them takes none away."""
    chunks = Chunk.objects.filter(scenario=row).order_by("pk").values_list("lines", flat=True)
    return curves([line for lines in chunks for line in lines.split("\n")], now=timezone.now().timestamp())


def _about(request: HttpRequest, row: Scenario) -> dict[str, Any]:
    latest = Snapshot.objects.filter(scenario=row).first()
    return {
        "row": row,
        "stats": queries.stats(row, timezone.now()),
        "tail": latest.tail if latest else "",
        "tail_at": latest.at if latest else None,
        "topic": topic(row.pk),
        "part_url": reverse("ui:signal-part", args=[row.pk, "now"]),
        "chart_url": reverse("ui:signal-chart", args=[row.pk]),
        "config": json.dumps(row.config, indent=2, ensure_ascii=False),
        "may_operate": request.principal.may(OPERATOR, team_id=row.team_id),
        "api_path": f"/api/signals/scenarios/{row.pk}",
        "is_log": row.signal_type == "logs",
        "instance": row.instance,
    }
