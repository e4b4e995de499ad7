"""Making, changing and trying a monitor, and the schedule that explains itself while it is typed."""

from collections.abc import Callable
from typing import Any, TypeVar
from uuid import UUID

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils import timezone
from django.views.decorators.http import require_POST
from rest_framework.exceptions import ValidationError

from config.api.envelopes import flatten
from config.api.errors import ApiError
from config.api.permissions import OPERATOR, require
from config.pages import page
from monitors.monitors import cron, queries, services
from monitors.monitors.api.serializers import MonitorInput
from monitors.monitors.models import Monitor
from monitors.monitors.ui import tools
from monitors.monitors.ui.detail import get
from monitors.monitors.ui.forms import PRESETS, MonitorForm
from monitors.monitors.ui.wire import initial_of, show_faults, wire
from monitors.runs import services as runs
from monitors.trials import services as trials
from monitors.trials.models import Trial
from monitors.trials.panel import about

T = TypeVar("T")


@page(OPERATOR)
def new(request: HttpRequest) -> HttpResponse:
    """A new monitor; the tool is chosen first and is in the address."""
    require(request.principal, OPERATOR)
    form = form_of(request, None)
    if request.method == "POST" and (monitor := saved(request, form, None)):
        return gone_to(request, monitor, f"{monitor.name} is saved. Its first run is at its next scheduled time.")
    return shown(request, form, None)


@page(OPERATOR)
def edit(request: HttpRequest, pk: UUID) -> HttpResponse:
    """Change a monitor; a run that has started keeps its settings."""
    require(request.principal, OPERATOR)
    monitor = get(pk)
    form = form_of(request, monitor)
    if request.method == "POST" and (changed := saved(request, form, monitor)):
        return gone_to(request, changed, f"{changed.name} is saved.")
    return shown(request, form, monitor)


@page(OPERATOR)
@require_POST
def attempt(request: HttpRequest, pk: UUID | None = None) -> HttpResponse:
    """Run what was typed once, without saving it: the panel of the trial, or the form with it without scripts."""
    require(request.principal, OPERATOR)
    monitor = get(pk) if pk else None
    form = form_of(request, monitor)
    trial = tried(request, form, monitor)
    if not request.htmx:
        return shown(request, form, monitor, not_done="Not tried", **(about(trial) if trial else {}))
    return render(request, "monitors/trial_panel.html", {"form": form} | (about(trial) if trial else {}))


@page(OPERATOR)
def schedule(request: HttpRequest) -> HttpResponse:
    """What a schedule means and when it fires next, as a part of the form."""
    given = {name: request.GET.get(name, "")[:200].replace("\x00", "") for name in ("schedule", "time_zone")}
    return render(request, "monitors/schedule_preview.html", {"preview": preview(**given)})


def form_of(request: HttpRequest, monitor: Monitor | None) -> MonitorForm:
    """The form of the monitor, or of a new one of the tool in the address, with what was typed."""
    if monitor:
        tool, initial = monitor.tool, initial_of(monitor)
    else:
        tool, initial = tools.chosen(request), {"time_zone": timezone.get_current_timezone_name()}
    return MonitorForm(request.POST or None, request.FILES or None, tool=tool, initial=initial)


def applied(form: MonitorForm, monitor: Monitor | None, act: Callable[[dict[str, Any]], T]) -> T | None:
    """What `act` makes of the checked fields; None when something is wrong, which the form then tells."""
    if not form.is_valid():
        return None
    sent = wire(form, monitor) | ({} if monitor else {"tool": form.tool})
    if form.errors:
        return None
    checked = MonitorInput(data=sent, partial=monitor is not None)
    try:
        checked.is_valid(raise_exception=True)
        fields = dict(checked.validated_data)
        if monitor and form.cleaned_data["timeout_s"] is None:
            fields["timeout_s"] = None
        return act(fields)
    except ValidationError as error:
        show_faults(form, flatten(error.detail))
    except ApiError as error:
        show_faults(form, error.details or {"timeoutSeconds" if error.status == 409 else "": [error.message]})
    return None


def saved(request: HttpRequest, form: MonitorForm, monitor: Monitor | None) -> Monitor | None:
    def save(fields: dict[str, Any]) -> Monitor:
        if monitor is None:
            return services.create(actor=request.principal, fields=fields, request=request)
        return services.update(monitor=monitor, actor=request.principal, fields=fields, request=request)

    return applied(form, monitor, save)


def tried(request: HttpRequest, form: MonitorForm, monitor: Monitor | None) -> Trial | None:
    def draft(fields: dict[str, Any]) -> tuple[Monitor, tuple[str, str]]:
        return services.draft(actor=request.principal, fields=fields, monitor=monitor)

    checked = applied(form, monitor, draft)
    if checked is None:
        return None
    try:
        return trials.start(draft=checked[0], script=checked[1], actor=request.principal, request=request)
    except ApiError as refusal:
        form.add_error(None, refusal.message)
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


def shown(request: HttpRequest, form: MonitorForm, monitor: Monitor | None, **more: Any) -> HttpResponse:
    """The page of the form, with `more` for its template."""
    typed = {name: str(form[name].value() or "") for name in ("schedule", "time_zone")}
    context: dict[str, Any] = {"form": form, "presets": PRESETS, "zones": sorted(cron.zones())}
    context |= {"preview": preview(**typed), "monitor": monitor} | more
    if monitor:
        back, again = reverse("ui:monitor", args=[monitor.pk]), reverse("ui:monitor-edit-try", args=[monitor.pk])
        context |= {"heading": f"Edit {monitor.name}", "action": reverse("ui:monitor-edit", args=[monitor.pk])}
    else:
        back, again = reverse("ui:monitors"), f"{reverse('ui:monitor-try')}?tool={form.tool}"
        context |= {"heading": "New monitor", "action": f"{reverse('ui:monitor-new')}?tool={form.tool}"}
        offered = tools.choices(request)
        context |= {"tools": offered, "refused": [tool for tool in offered if tool.why]}
    context |= {"cancel_url": back, "try_url": again}
    return render(request, "monitors/monitor_form.html", context, status=422 if form.errors else 200)


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
