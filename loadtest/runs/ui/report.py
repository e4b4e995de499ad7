"""The report of a run as one HTML file: nothing is loaded from anywhere, so that it opens wherever it is sent."""

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.utils.text import slugify

from config.api.errors import NotFound
from config.api.permissions import VIEWER
from config.pages import page
from config.version import VERSION
from loadtest.runs import plots
from loadtest.runs.drawing import Curve, legend, line_chart
from loadtest.runs.models import Kind
from loadtest.runs.ui import subject, ticks
from loadtest.runs.ui.detail import about


@page(VIEWER)
def report(request: HttpRequest, pk: str) -> HttpResponse:
    """`…/report.html`, to be kept as a file."""
    found = subject.get(pk)
    if found.kind != Kind.LOAD:
        raise NotFound(f"Run '{pk}' is no load test")
    series = ticks.thinned(found)
    limit = (found.config.get("thresholds") or {}).get("latencyP95Ms")
    drawings = []
    for chart in plots.CHARTS:
        curves = [
            Curve(line.label, plots.points(line, series, elapsed=True), number)
            for number, line in enumerate(plots.drawn(chart, series), start=1)
        ]
        svg = line_chart(chart.title, curves, chart.unit, limit=limit if chart.name == "latency" else None)
        drawings.append({"title": chart.title, "svg": svg, "legend": legend(curves)})
    newest = series[-1] if series else None
    context = about(request, found, newest) | {"drawings": drawings, "version": VERSION}
    answer = render(request, "loadtest/report.html", context)
    name = slugify(f"{context['title'][:60]}-{found.started_at:%Y-%m-%d-%H%M}") or "load-run"
    answer["Content-Disposition"] = f'attachment; filename="{name}.html"'
    return answer
