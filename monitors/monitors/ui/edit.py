"""Making and changing a monitor, and the schedule that explains itself while it is typed."""

from typing import Any
from uuid import UUID

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils import timezone
from rest_framework.exceptions import ValidationError

from config.api.envelopes import flatten
from config.api.errors import ApiError
from config.api.permissions import OPERATOR, require
from config.pages import page
from monitors.monitors import cron, queries, services
from monitors.monitors.api.serializers import MonitorInput
from monitors.monitors.models import Monitor, Tool
from monitors.monitors.ui.detail import get
from monitors.monitors.ui.forms import PRESETS, MonitorForm, initial_of
from monitors.runs import services as runs


@page(OPERATOR)
def new(request: HttpRequest) -> HttpResponse:
    """A new monitor; the tool is chosen first and is in the address."""
    require(request.principal, OPERATOR)
    tool = request.GET.get("tool", Tool.HTTP)
    tool = tool if tool in Tool.values else Tool.HTTP
    zone = timezone.get_current_timezone_name()
    form = MonitorForm(request.POST or None, request.FILES or None, tool=tool, initial={"time_zone": zone})
    if request.method == "POST" and (monitor := saved(request, form, None)):
        return gone_to(request, monitor, f"{monitor.name} is saved. Its first run is at its next scheduled time.")
    context = shown(form) | {"heading": "New monitor", "tools": Tool.choices, "cancel_url": reverse("ui:monitors")}
    return render(request, "monitors/monitor_form.html", context, status=422 if form.errors else 200)


@page(OPERATOR)
def edit(request: HttpRequest, pk: UUID) -> HttpResponse:
    """Change a monitor; a run that has started keeps its settings."""
    require(request.principal, OPERATOR)
    monitor = get(pk)
    form = MonitorForm(request.POST or None, request.FILES or None, tool=monitor.tool, initial=initial_of(monitor))
    if request.method == "POST" and (changed := saved(request, form, monitor)):
        return gone_to(request, changed, f"{changed.name} is saved.")
    context = shown(form) | {"heading": f"Edit {monitor.name}", "monitor": monitor}
    context["cancel_url"] = reverse("ui:monitor", args=[monitor.pk])
    return render(request, "monitors/monitor_form.html", context, status=422 if form.errors else 200)


@page(OPERATOR)
def schedule(request: HttpRequest) -> HttpResponse:
    """What a schedule means and when it fires next, as a part of the form."""
    given = {name: request.GET.get(name, "")[:200].replace("\x00", "") for name in ("schedule", "time_zone")}
    return render(request, "monitors/schedule_preview.html", {"preview": preview(**given)})


def saved(request: HttpRequest, form: MonitorForm, monitor: Monitor | None) -> Monitor | None:
    """The stored monitor; None when something is wrong, which the form then tells."""
    if not form.is_valid():
        return None
    sent = form.wire(monitor) | ({} if monitor else {"tool": form.tool})
    if form.errors:
        return None
    checked = MonitorInput(data=sent, partial=monitor is not None)
    try:
        checked.is_valid(raise_exception=True)
        fields = dict(checked.validated_data)
        if monitor is None:
            return services.create(actor=request.principal, fields=fields, request=request)
        if form.cleaned_data["timeout_s"] is None:
            fields["timeout_s"] = None
        return services.update(monitor=monitor, actor=request.principal, fields=fields, request=request)
    except ValidationError as error:
        form.show_faults(flatten(error.detail))
    except ApiError as error:
        form.show_faults(error.details or {"timeoutSeconds" if error.status == 409 else "": [error.message]})
    return None


def gone_to(request: HttpRequest, monitor: Monitor, text: str) -> HttpResponse:
    """The monitor's page, or the run that was asked for together with saving."""
    if "run" in request.POST:
        try:
            run = runs.trigger(monitor=monitor, actor=request.principal, request=request)
        except ApiError as refusal:
            messages.warning(request, refusal.message)
        else:
            return redirect("ui:run", pk=run.pk)
    messages.success(request, text)
    return redirect("ui:monitor", pk=monitor.pk)


def shown(form: MonitorForm) -> dict[str, Any]:
    typed = {name: str(form[name].value() or "") for name in ("schedule", "time_zone")}
    return {"form": form, "presets": PRESETS, "zones": sorted(cron.zones()), "preview": preview(**typed)}


def preview(*, schedule: str, time_zone: str) -> dict[str, Any]:
    """The schedule in words with its next five times, or why it is none."""
    if not cron.known_zone(time_zone):
        return {"fault": f"'{time_zone}' is no time zone."}
    try:
        text, now = cron.normalise(schedule), timezone.now()
        gap = cron.shortest_gap_s(text, time_zone, now)
    except cron.BadSchedule as error:
        return {"fault": str(error)}
    return {"words": cron.in_words(text), "gap_s": gap, "times": queries.next_times(text, time_zone, now)}
