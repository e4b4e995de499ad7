"""The page of one run: the verdict or how far it is, the figures, the charts, what failed and what was slow."""

from typing import Any

from django.http import HttpRequest, HttpResponse, JsonResponse
from django.shortcuts import render
from django.urls import reverse

from config.api.errors import NotFound
from config.api.permissions import VIEWER
from config.pages import page
from loadtest.frame import frame
from loadtest.runs import plots, reporting
from loadtest.runs.models import Kind, Run
from loadtest.runs.state import topic
from loadtest.runs.ui import machines, subject, ticks
from loadtest.runs.ui.findings import findings

PARTS = {"now": "loadtest/run_now.html", "findings": "loadtest/run_findings.html"}


@page(VIEWER)
def run(request: HttpRequest, pk: str) -> HttpResponse:
    """A load run, moving while it lasts; of a request sent by hand what came back."""
    found = subject.get(pk)
    if found.kind == Kind.DESIGN:
        return render(request, "loadtest/run_design.html", head(request, found) | {"result": found.result or {}})
    series = ticks.thinned(found, ticks.LISTED if found.is_over else ticks.DRAWN)
    newest = series[-1] if series else None
    context = about(request, found, newest) | {
        "charts": [(chart, drawn(found, chart, series), chart_url(found, chart.name)) for chart in plots.CHARTS],
        "baseline": baseline_of(found),
        "stream": stream_of(found, newest),
        "machines": machines.about(request, found, newest),
    }
    return render(request, "loadtest/run.html", context)


@page(VIEWER)
def part(request: HttpRequest, pk: str, name: str) -> HttpResponse:
    """One part of the page with fresh figures."""
    if name not in PARTS:
        raise NotFound(f"There is no part '{name}'")
    found = subject.get(pk)
    return render(request, PARTS[name], about(request, found, ticks.last(found)))


@page(VIEWER)
def chart(request: HttpRequest, pk: str, name: str) -> JsonResponse:
    """The data of one chart."""
    wanted = next((one for one in plots.CHARTS if one.name == name), None)
    if wanted is None:
        raise NotFound(f"There is no chart '{name}'")
    found = subject.get(pk)
    series = ticks.thinned(found, ticks.LISTED if found.is_over else ticks.DRAWN)
    return JsonResponse(drawn(found, wanted, series))


def drawn(found: Run, chart: plots.Chart, series: list[dict[str, Any]]) -> dict[str, Any]:
    limit = (found.config.get("thresholds") or {}).get("latencyP95Ms")
    since = series[0]["timestamp"] / 1000 if series else found.started_at.timestamp()
    return plots.data(chart, series, since=since, threshold_ms=limit, grows=not found.is_over)


def chart_url(found: Run, name: str) -> str:
    return reverse("ui:load-run-chart", args=[found.pk, name])


def part_url(found: Run, name: str) -> str:
    return reverse("ui:load-run-part", args=[found.pk, name])


def baseline_of(found: Run) -> Run | None:
    """The newest pinned run of the same request."""
    if not found.request_id:
        return None
    pinned = Run.objects.visible().filter(request_id=found.request_id, pinned=True, kind=Kind.LOAD)
    return pinned.exclude(pk=found.pk).light().newest_first().first()


def stream_of(found: Run, newest: dict[str, Any] | None) -> dict[str, Any] | None:
    """What the page's script needs to follow the run; None when it is over."""
    if found.is_over:
        return None
    return {
        "url": f"/api/loadtest/metrics/live/{found.pk}" + (f"?lastEventId={newest['n']}" if newest else ""),
        "charts": plots.as_json(),
        "before": newest,
        "parts": {f"load-{name}": part_url(found, name) for name in PARTS},
    }


def head(request: HttpRequest, found: Run) -> dict[str, Any]:
    """What every page of a run shows around its content."""
    names = subject.names_of([found])
    return {
        **frame(request, "runs"),
        "run": found,
        "title": subject.title(found, names),
        "known_request": found.request_id in names,
        "state": subject.state(found, found.report),
        "api_path": f"/api/loadtest/run/{found.pk}/report",
    }


def about(request: HttpRequest, found: Run, newest: dict[str, Any] | None) -> dict[str, Any]:
    """What the moving parts show."""
    report = reporting.of(found)
    return head(request, found) | {
        "tick": newest,
        "report": report,
        "summary": report.get("summary") or {},
        "latency": report.get("latency") or {},
        "limits": subject.limits(found, report),
        "mode": subject.mode_word(found),
        "pace": subject.pace(found),
        "environment": subject.environment_of(found),
        "progress": subject.progress(found, newest),
        "findings": findings(report),
        "topic": topic(found.pk),
        "parts": {name: part_url(found, name) for name in PARTS},
    }
