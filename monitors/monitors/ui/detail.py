"""One monitor: how it does, its runs, and what may be done with it."""

from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

from django.contrib import messages
from django.core.paginator import Paginator
from django.http import HttpRequest, HttpResponse, JsonResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils import timezone
from django.views.decorators.http import require_POST

from config.api.errors import ApiError, NotFound
from config.api.permissions import OPERATOR, VIEWER, require
from config.pages import page
from monitors.monitors import cron, parameters, queries, services
from monitors.monitors.models import Monitor
from monitors.monitors.ui.lists import state_of
from monitors.runs import services as runs
from monitors.runs.judge import APDEX_T, DEFAULT_T_MS, RULES
from monitors.runs.models import Run
from monitors.uptime import queries as uptime

RUNS_PER_PAGE = 20
CHART_DAYS = 7
PARTS = {"figures": "monitors/monitor_now.html", "runs": "monitors/monitor_runs.html"}
LIMIT_WORDS = {
    "latencyMs": "95 % of requests within",
    "errorRatePercent": "Failed requests at most",
    "apdexMin": "Apdex at least",
    "p50Ms": "Half of the requests within",
    "p99Ms": "99 % of requests within",
    "avgMs": "Mean time at most",
    "throughputMin": "Throughput at least",
}


@page(VIEWER)
def monitor(request: HttpRequest, pk: UUID) -> HttpResponse:
    """State, figures, chart, runs, limits and schedule of one monitor."""
    found, now = get(pk), timezone.now()
    data = latency(found, now)
    context = about(request, found, now) | {
        "chart": data,
        "chart_span": chart_span(len(data["series"][0]["points"])),
        "chart_url": reverse("ui:monitor-chart", args=[found.pk]),
        "limits": limits(found),
        "words": cron.in_words(found.schedule),
        "times": queries.next_times(found.schedule, found.time_zone, now) if found.enabled else [],
        "parameters": sorted(parameters.masked(found.parameters).items()),
        "script": found.script,
        # The alerts are those of a higher app, which shows them itself; here only its address is known.
        "alerts_url": reverse("ui:monitor-alerts", args=[found.pk]),
        "all_alerts_url": f"{reverse('ui:alerts')}?tab=all&monitor={found.pk}",
    }
    return render(request, "monitors/monitor.html", context)


@page(VIEWER)
def part(request: HttpRequest, pk: UUID, name: str) -> HttpResponse:
    """One part of the page, for the live update."""
    if name not in PARTS:
        raise NotFound(f"There is no part '{name}'")
    return render(request, PARTS[name], about(request, get(pk), timezone.now()))


@page(VIEWER)
def chart(request: HttpRequest, pk: UUID) -> JsonResponse:
    """The latency of the last days, for the chart."""
    return JsonResponse(latency(get(pk), timezone.now()))


@page(OPERATOR)
@require_POST
def run(request: HttpRequest, pk: UUID) -> HttpResponse:
    """Ask for a run, and go to its page."""
    found = get(pk)
    require(request.principal, OPERATOR)
    try:
        made = runs.trigger(monitor=found, actor=request.principal, request=request)
    except ApiError as refusal:
        messages.warning(request, refusal.message)
        active = Run.objects.active().filter(monitor=found).first()
        return redirect("ui:run", pk=active.pk) if active else redirect("ui:monitor", pk=found.pk)
    return redirect("ui:run", pk=made.pk)


@page(OPERATOR)
@require_POST
def switch(request: HttpRequest, pk: UUID, action: str) -> HttpResponse:
    """Pause or resume."""
    found = get(pk)
    require(request.principal, OPERATOR)
    try:
        services.update(monitor=found, actor=request.principal, fields={"enabled": action == "resume"}, request=request)
    except ApiError as refusal:
        messages.error(request, refusal.message)
    else:
        messages.success(request, f"{found.name} is {'on again' if action == 'resume' else 'paused'}.")
    return redirect("ui:monitor", pk=found.pk)


@page(OPERATOR)
def delete(request: HttpRequest, pk: UUID) -> HttpResponse:
    """Ask for the name, then delete the monitor with all its runs."""
    found = get(pk)
    require(request.principal, OPERATOR)
    wrong = request.method == "POST" and request.POST.get("confirm", "").strip() != found.name
    if request.method == "POST" and not wrong:
        services.delete(monitor=found, actor=request.principal, request=request)
        messages.success(request, f"{found.name} is deleted.")
        return redirect("ui:monitors")
    context = {"monitor": found, "wrong": wrong, "count": Run.objects.filter(monitor=found).count()}
    return render(request, "monitors/monitor_delete.html", context, status=422 if wrong else 200)


def get(pk: UUID) -> Monitor:
    found = Monitor.objects.select_related("agent").filter(pk=pk).first()
    if found is None:
        raise NotFound(f"Monitor '{pk}' not found")
    return found


def about(request: HttpRequest, found: Monitor, now: datetime) -> dict[str, Any]:
    """What the page and its live part show."""
    newest = Run.objects.filter(pk=found.last_run_id).first() if found.last_run_id else None
    rows = Run.objects.filter(monitor=found).defer("spec").newest_first()
    return {
        "monitor": found,
        "state": state_of(found),
        "active": Run.objects.active().filter(monitor=found).first(),
        "newest": newest,
        "metrics": (newest.metrics or {}) if newest else {},
        "apdex_t_ms": found.thresholds.get(APDEX_T, DEFAULT_T_MS),
        "error_percent": None if found.last_error_rate is None else found.last_error_rate * 100,
        "uptime": uptime.of_monitor(found.pk, now),
        "page": Paginator(rows, RUNS_PER_PAGE).get_page(request.GET.get("page")),
        "may_operate": request.principal.may(OPERATOR),
        "live_topic": f"monitor:{found.pk}",
        "figures_url": reverse("ui:monitor-part", args=[found.pk, "figures"]),
        "runs_url": f"{reverse('ui:monitor-part', args=[found.pk, 'runs'])}?{request.GET.urlencode()}",
        "api_path": f"/api/monitors/{found.pk}",
    }


def latency(found: Monitor, now: datetime) -> dict[str, Any]:
    """p50 and p95 of the runs of the last days as chart data, with the limit."""
    measured = queries.measured(found, since=now - timedelta(days=CHART_DAYS))
    series = [
        {
            "label": name,
            "unit": "ms",
            "points": [[int((one.started_at or one.queued_at).timestamp()), one.metrics.get(name)] for one in measured],
        }
        for name in ("p95", "p50")
    ]
    first = (measured[0].started_at or measured[0].queued_at) if measured else now - timedelta(hours=1)
    data = {"series": series, "from": int(first.timestamp()) - 60, "to": int(now.timestamp())}
    limit = found.thresholds.get("latencyMs")
    return data | ({"threshold": {"value": limit, "label": f"p95 limit {limit:g} ms"}} if limit is not None else {})


def chart_span(count: int) -> str:
    """What the chart of that many runs covers."""
    return f"the newest {count} runs" if count == queries.MOST_MEASURED else f"each run of the last {CHART_DAYS} days"


def limits(found: Monitor) -> list[tuple[str, str]]:
    """Each limit in words and with its unit."""
    said = [
        (LIMIT_WORDS[name], f"{found.thresholds[name]:g} {rule.unit}".strip())
        for name, rule in RULES.items()
        if name in found.thresholds
    ]
    if "apdexMin" in found.thresholds:
        said.append(("Apdex counts as satisfied within", f"{found.thresholds.get(APDEX_T, DEFAULT_T_MS):g} ms"))
    return said
