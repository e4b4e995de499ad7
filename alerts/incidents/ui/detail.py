"""One alert: what, since when, how it looks, what was done about it."""

from datetime import timedelta
from typing import Any

from django.contrib import messages
from django.http import Http404, HttpRequest, HttpResponse, JsonResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils import timezone
from django.utils.http import url_has_allowed_host_and_scheme
from django.views.decorators.http import require_POST

from alerts.incidents import queries, services, wording
from alerts.incidents.models import Alert, Status
from alerts.notices.holding import why
from alerts.rules import words
from alerts.silences.queries import covering
from config.api.authentication import Principal
from config.api.permissions import OPERATOR, VIEWER, require
from config.pages import page
from fleet.instances.queries import events
from fleet.logs.entries import Entry
from fleet.logs.queries import Filters, older
from fleet.metrics.charts import CHARTS, chart
from fleet.metrics.sources import Scope

BEFORE, AFTER, LONGEST = timedelta(minutes=30), timedelta(minutes=10), timedelta(days=7)
POINTS, LINES = 300, 50
PARTS = ("now", "story")
NOTE = 2000  # characters
# The metric of a rule → the chart that has its curve, and the curve's column.
CURVES = {
    "cpu_percent": ("cpu", "cpu_pct"),
    "mem_percent": ("memory", "mem_pct"),
    "disk_percent": ("disk", "disk_pct"),
    "load_avg_1": ("load", "load1"),
    "load_avg_5": ("load", "load5"),
    "net_bytes_recv": ("network", "net_rx_bps"),
    "net_bytes_sent": ("network", "net_tx_bps"),
}


@page(VIEWER)
def alert(request: HttpRequest, pk: str) -> HttpResponse:
    found = queries.get_visible(principal=request.principal, pk=pk)
    context = parts_of(request, found) | {
        "chart": chart_of(found),
        "chart_url": reverse("ui:alert-chart", args=[found.pk]),
        "chart_title": words.METRIC_WORDS.get((found.metadata or {}).get("metric", "")),
        "events": events(found.instance, limit=5) if found.instance else [],
        "related": queries.related(found, request.principal),
        "lines": last_lines(found, request.principal),
    }
    return render(request, "alerts/alert.html", context)


def last_lines(found: Alert, principal: Principal) -> list[Entry]:
    """The last 50 log lines of the instance: until the alert ended, or now."""
    if found.instance_id is None:
        return []
    asked = Filters(instance_id=found.instance_id, until=found.resolved_at or timezone.now())
    return older(asked, principal, limit=LINES)


def runbook(found: Alert) -> str:
    """The web address that the label `runbook` of the alert's rule names; "" for none."""
    address = found.labels.get("runbook", "")
    return address if address.startswith(("https://", "http://")) else ""


@page(VIEWER)
def part(request: HttpRequest, pk: str, name: str) -> HttpResponse:
    """One part of the page, for the live update."""
    if name not in PARTS:
        raise Http404
    found = queries.get_visible(principal=request.principal, pk=pk)
    return render(request, f"alerts/alert_{name}.html", parts_of(request, found))


def parts_of(request: HttpRequest, found: Alert) -> dict[str, Any]:
    """What the templates of the parts read."""
    return {
        "alert": found,
        "sentence": wording.sentence(found, timezone.now()),
        "story": queries.story(found),
        "attempts": queries.attempts(found),
        "waiting": queries.waiting_messages(found),
        "condition": words.sentence(found.rule.type, found.rule.conditions) if found.rule else "",
        "held": why(found) if found.is_open else "",
        "silences": covering(found.labels, now=timezone.now()) if found.status == Status.SILENCED else [],
        "runbook": runbook(found),
        "may_operate": request.principal.may(OPERATOR, team_id=found.team_id),
    }


@page(VIEWER)
def chart_data(request: HttpRequest, pk: str) -> HttpResponse:
    """The curve around the moment, for the chart's own reload."""
    data = chart_of(queries.get_visible(principal=request.principal, pk=pk))
    if data is None:
        raise Http404
    return JsonResponse(data)


def chart_of(found: Alert) -> dict[str, Any] | None:
    """The metric from half an hour before the alert until after its end, with the limit; None without a metric."""
    metric = (found.metadata or {}).get("metric")
    if metric not in CURVES or found.instance_id is None:
        return None
    name, column = CURVES[metric]
    now = timezone.now()
    until = min(now, found.resolved_at + AFTER) if found.resolved_at else now
    since = max(found.fired_at - BEFORE, until - LONGEST)
    data = chart(
        Scope.instance(found.instance_id), metrics=[name], since=since, until=until, max_points=POINTS, now=now
    )  # fmt: skip
    place = next(number for number, line in enumerate(CHARTS[name]) if line.column == column)
    limit, baseline = found.metadata.get("threshold"), found.metadata.get("baseline")
    line, name = (limit, "limit") if limit is not None else (baseline, "mean before it fired")
    marks = [(found.fired_at, "Fired"), (found.acknowledged_at, "Acknowledged"), (found.resolved_at, "Resolved")]
    return data | {
        "series": [data["series"][place]],
        "threshold": {"value": line, "label": f"{name} {words.with_unit(metric, line)}"},
        "marks": [{"at": at.timestamp(), "label": label} for at, label in marks if at],
    }


@require_POST
@page(OPERATOR)
def acknowledge(request: HttpRequest, pk: str) -> HttpResponse:
    """Take the alert on, with a note if one was typed."""
    found = _operable(request, pk)
    note = request.POST.get("note")
    if note is not None and ("\x00" in note or len(note) > NOTE):
        messages.error(request, f"Not saved: a note has at most {NOTE} characters.")
        return _back(request, found)
    note = note.strip() if note is not None else None
    was_open, had_note = found.status == "ACTIVE", found.note
    found = services.acknowledge(alert=found, actor=request.principal, note=note, request=request)
    if was_open:
        messages.success(request, f"You have it: {found.title}.")
    elif note is not None and note != had_note:
        messages.success(request, "Note saved.")
    return _back(request, found)


@require_POST
@page(OPERATOR)
def resolve(request: HttpRequest, pk: str) -> HttpResponse:
    found = services.resolve_by_hand(alert=_operable(request, pk), actor=request.principal, request=request)
    messages.success(request, f"Resolved: {found.title}. If it is still wrong, it fires again.")
    return _back(request, found)


def _operable(request: HttpRequest, pk: str) -> Alert:
    found = queries.get_visible(principal=request.principal, pk=pk)
    require(request.principal, OPERATOR, team_id=found.team_id)
    return found


def _back(request: HttpRequest, found: Alert) -> HttpResponse:
    """Where the person came from, else the alert's page."""
    wanted = request.POST.get("next", "")
    if url_has_allowed_host_and_scheme(wanted, allowed_hosts={request.get_host()}, require_https=request.is_secure()):
        return redirect(wanted)
    return redirect("ui:alert", pk=found.pk)
