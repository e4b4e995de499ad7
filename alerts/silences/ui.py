"""Pages of silences."""

import contextlib
from datetime import datetime, timedelta
from typing import Any

from django.contrib import messages
from django.core.paginator import Paginator
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils import timezone
from django.views.decorators.http import require_POST

from alerts.incidents.queries import get_visible
from alerts.labels.matchers import from_lines, in_words
from alerts.silences import queries, services, windows
from alerts.silences.forms import SilenceForm, initial_of
from alerts.silences.models import Silence
from config.api.errors import ApiError
from config.api.permissions import OPERATOR, VIEWER, require
from config.pages import page

PER_PAGE = 50
AHEAD = timedelta(days=7)  # that the calendar of repeating ones shows
NARROW = ("alertname", "instance", "monitor", "severity", "source")  # labels that a silence of one alert starts from


@page(VIEWER)
def silences(request: HttpRequest) -> HttpResponse:
    """Silences by state, with how many alerts each hides now."""
    now, tab = timezone.now(), request.GET.get("tab", "active")
    tab = tab if tab in queries.TABS else "active"
    shown = Paginator(queries.in_state(tab, now), PER_PAGE).get_page(request.GET.get("page"))
    found = list(shown.object_list)
    counts = queries.hidden(request.principal, found) if tab == "active" else {}
    address = reverse("ui:silences")
    context = {
        "page": shown,
        "tab": tab,
        "tabs": [
            (one, one.capitalize(), queries.in_state(one, now).count(), f"{address}?tab={one}") for one in queries.TABS
        ],
        "rows": [(one, in_words(one.matchers), one.span(now), when(one), counts.get(one.pk)) for one in found],
        "calendar": calendar(now) if tab != "past" else [],
        "may_operate": request.principal.may(OPERATOR),
    }
    return render(request, "alerts/silences.html", context)


def when(silence: Silence) -> str:
    """When it repeats, in words; "" for one that does not."""
    return windows.in_words(silence.weekly) if silence.weekly else ""


def calendar(now: datetime) -> list[tuple[datetime, datetime, Silence]]:
    """The windows of repeating silences in the next days, the first to come first."""
    found = []
    for silence in Silence.objects.unfinished(now).filter(from_time__isnull=False).order_by("pk")[:200]:
        if silence.weekly:
            for start, end in windows.spans(silence.weekly, (now - timedelta(days=8)).date(), (now + AHEAD).date()):
                ends_at = min(end, silence.ends_at) if silence.ends_at else end
                if max(now, silence.starts_at) < ends_at and start < now + AHEAD:
                    found.append((max(start, silence.starts_at), ends_at, silence))
    return sorted(found, key=lambda row: (row[0], row[2].pk))[:100]


@page(OPERATOR)
def new(request: HttpRequest) -> HttpResponse:
    """A new silence; `alert`, `instance` or `monitor` in the address fill in the matchers."""
    require(request.principal, OPERATOR)
    initial = {"matchers": wanted(request), "time_zone": request.user.time_zone or "UTC"}
    form = SilenceForm(request.POST or None, initial=initial)
    if request.method == "POST" and (silence := _saved(request, form, None)):
        return _done(request, silence)
    return _form_page(request, form, "New silence")


@page(OPERATOR)
def edit(request: HttpRequest, pk: str) -> HttpResponse:
    require(request.principal, OPERATOR)
    silence = queries.get_silence(pk)
    form = SilenceForm(request.POST or None, initial=initial_of(silence))
    if request.method == "POST" and (changed := _saved(request, form, silence)):
        return _done(request, changed)
    return _form_page(request, form, "Edit silence")


@require_POST
@page(OPERATOR)
def end(request: HttpRequest, pk: str) -> HttpResponse:
    """End it now; people are told of what still burns."""
    require(request.principal, OPERATOR)
    services.end_silence(silence=queries.get_silence(pk), actor=request.principal, request=request)
    messages.success(request, "The silence is over. What still burns is told now.")
    return redirect("ui:silences")


def wanted(request: HttpRequest) -> list[dict[str, str]]:
    """The matchers that the address asks for."""
    if lines := request.GET.get("matchers", "")[:8000].replace("\x00", ""):
        with contextlib.suppress(ValueError):  # an address that somebody wrote by hand starts an empty form
            return from_lines(lines)
    labels: dict[str, str] = {}
    if key := request.GET.get("alert", ""):
        labels = get_visible(principal=request.principal, pk=key).labels
    given = {name: request.GET[name].replace("\x00", "")[:300] for name in NARROW if name in request.GET}
    chosen = given or {name: labels[name] for name in NARROW if name in labels}
    return [{"label": name, "op": "=", "value": value} for name, value in chosen.items()]


def _saved(request: HttpRequest, form: SilenceForm, silence: Silence | None) -> Silence | None:
    """The stored silence; None when something is wrong, which the form then tells."""
    if not form.is_valid():
        return None
    fields: dict[str, Any] = form.fields_at(timezone.now())
    try:
        if silence is None:
            return services.create_silence(actor=request.principal, request=request, **fields)
        return services.change_silence(silence=silence, actor=request.principal, request=request, **fields)
    except ApiError as error:
        form.show_faults(error.details or {"": [error.message]})
    return None


def _form_page(request: HttpRequest, form: SilenceForm, heading: str) -> HttpResponse:
    context = {"form": form, "heading": heading}
    return render(request, "alerts/silence_form.html", context, status=422 if form.errors else 200)


def _done(request: HttpRequest, silence: Silence) -> HttpResponse:
    count = queries.hidden(request.principal, [silence])[silence.pk] if silence.active else 0
    plural = "s" if count != 1 else ""
    messages.success(request, f"Silence saved, hides {count} alert{plural} now. End it in the list to undo.")
    return redirect(f"{reverse('ui:silences')}?tab={queries.state_of(silence, timezone.now())}")
