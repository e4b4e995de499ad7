"""Two runs side by side: the verdict, the table of differences, the curves over each other."""

from collections.abc import Mapping
from typing import Any

from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils.http import urlencode

from config.api.errors import NotFound
from config.api.permissions import VIEWER
from config.pages import page
from loadtest.frame import frame
from loadtest.runs import plots
from loadtest.runs.comparison import NOISE_PCT
from loadtest.runs.comparison import compare as compared
from loadtest.runs.drawing import Curve, legend, line_chart
from loadtest.runs.models import Kind, Run
from loadtest.runs.ui import subject, ticks

SHOWN = (("rate", "finished"), ("latency", "p50"), ("latency", "p95"), ("latency", "p99"), ("flight", "on the wire"))
CHOICES = 100


@page(VIEWER)
def compare(request: HttpRequest) -> HttpResponse:
    """`?a=` is the baseline, `?b=` the run that is judged; two ticked rows of the list say `?run=…&run=…`."""
    if ticked := request.GET.getlist("run"):
        return from_list(request, ticked)
    pair = {name: one(request.GET.get(name, "")) for name in ("a", "b")}
    choices = list(Run.objects.visible().light().filter(kind=Kind.LOAD).newest_first()[:CHOICES])
    names = subject.names_of([*choices, *filter(None, pair.values())])
    context: dict[str, Any] = {
        **frame(request, "runs"),
        "choices": [(run, subject.title(run, names)) for run in choices],
        "pair": [(label, name, run, subject.title(run, names) if run else "") for label, name, run in labelled(pair)],
    }
    before, after = pair["a"], pair["b"]
    if before and after:
        rows = compared(before.report or {}, after.report or {}) if measured(before) and measured(after) else []
        context |= {
            "rows": [row | {"words": words_of(row)} for row in rows],
            "verdict": verdict(rows),
            "drawings": drawings(before, after),
            "same_target": before.config.get("url") == after.config.get("url") and before.mode == after.mode,
            "api_path": f"/api/loadtest/runs/{after.pk}/compare/{before.pk}",
        }
    return render(request, "loadtest/compare.html", context)


def from_list(request: HttpRequest, ticked: list[str]) -> HttpResponse:
    """The older of two ticked runs, or the pinned one, is the baseline."""
    runs = list(Run.objects.visible().light().filter(pk__in=ticked[:10], kind=Kind.LOAD))
    runs.sort(key=lambda run: (not run.pinned, run.started_at, run.pk))
    place = dict(zip(("a", "b"), (run.pk for run in runs), strict=False))
    return redirect(f"{reverse('ui:load-compare')}?{urlencode(place)}")


def one(run_id: str) -> Run | None:
    if not run_id:
        return None
    found = subject.get(run_id)
    if found.kind != Kind.LOAD:
        raise NotFound(f"Run '{run_id}' is no load test")
    return found


def labelled(pair: Mapping[str, Run | None]) -> list[tuple[str, str, Run | None]]:
    return [("Baseline", "a", pair["a"]), ("This run", "b", pair["b"])]


def measured(run: Run) -> bool:
    return bool(((run.report or {}).get("summary") or {}).get("totalRequests"))


def words_of(row: dict[str, Any]) -> str:
    """The direction of a change in words; the verdict, if it has one, stands beside it."""
    if row["direction"] == "same":
        return "same"
    if row["changePct"] is not None and abs(row["changePct"]) < NOISE_PCT:
        return "about the same"
    return "higher" if row["direction"] == "up" else "lower"


def verdict(rows: list[dict[str, Any]]) -> dict[str, Any] | None:
    """Worse when any figure is worse, better when some are better and none worse, with the figures it rests on."""
    if not rows:
        return None
    by = {word: [row for row in rows if row["verdict"] == word] for word in ("worse", "better")}
    word = "worse" if by["worse"] else "better" if by["better"] else "same"
    return {"word": word, "because": by["worse"] or by["better"], "besides": by["better"] if by["worse"] else []}


def drawings(before: Run, after: Run) -> list[dict[str, Any]]:
    """The same line of both runs over the seconds since each began."""
    series = [ticks.thinned(run) for run in (before, after)]
    found = []
    for name, label in SHOWN:
        chart = next(chart for chart in plots.CHARTS if chart.name == name)
        line = next(line for line in chart.lines if line.label == label)
        curves = [
            Curve(words, plots.points(line, rows, elapsed=True), number)
            for number, (words, rows) in enumerate(zip(("baseline", "this run"), series, strict=True), start=1)
        ]
        title = f"{chart.title}, {label}"
        found.append({"title": title, "svg": line_chart(title, curves, chart.unit), "legend": legend(curves)})
    return found
