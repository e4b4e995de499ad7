"""Pages of objectives."""

from typing import Any

from django import forms
from django.core.paginator import Paginator
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, render
from django.utils import timezone

from alerts.channels.models import Channel
from alerts.labels.pages import Home, delete_page, form_page
from alerts.objectives import queries
from alerts.objectives.api import ObjectiveSerializer
from alerts.objectives.burning import PAIRS, WINDOWS
from alerts.objectives.models import Indicator, Objective
from config.api.permissions import OPERATOR, VIEWER
from config.pages import page
from loadtest.workspace.models import SavedRequest
from monitors.monitors.models import Monitor

HOME = Home("ui:objectives", "Objectives")
KIND: dict[str, Any] = {"resource": "objective", "noun": "Objective", "home": HOME}
PER_PAGE, MOST = 50, 1000
MONITOR, REQUEST = "monitor:", "request:"


class ObjectiveForm(forms.Form):
    name = forms.CharField(max_length=128)
    subject = forms.ChoiceField(label="Of", help_text="A monitor's checks, or the load runs of a saved request.")
    indicator = forms.ChoiceField(
        choices=Indicator.choices, label="Good is", help_text="Availability: passed. Latency: p95 within the limit."
    )
    latency_ms = forms.IntegerField(
        required=False, min_value=1, max_value=600_000, label="Limit of p95, ms", help_text="For latency only."
    )
    target = forms.FloatField(
        min_value=50, max_value=99.9999, initial=99.5, label="Target, %", help_text="So many shall be good."
    )
    window_days = forms.IntegerField(min_value=1, max_value=90, initial=30, label="Window, days")
    channels = forms.MultipleChoiceField(
        required=False, widget=forms.CheckboxSelectMultiple, label="Tell",
        help_text="Told when the budget is spent too fast, and when that is over.",
    )  # fmt: skip
    enabled = forms.BooleanField(required=False, initial=True, label="Switched on")

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        monitors = Monitor.objects.order_by("name").values_list("pk", "name")[:MOST]
        requests = SavedRequest.objects.order_by("name").values_list("pk", "name")[:MOST]
        self.fields["subject"].choices = [
            ("Monitors", [(f"{MONITOR}{pk}", name) for pk, name in monitors]),
            ("Load runs of", [(f"{REQUEST}{pk}", name) for pk, name in requests]),
        ]
        channels = Channel.objects.order_by("name", "pk").values_list("pk", "name")[:500]
        self.fields["channels"].choices = list(channels)

    def wire(self) -> dict[str, Any]:
        given = self.cleaned_data
        kind, _, key = given["subject"].partition(":")
        return {
            "name": given["name"],
            "monitorId": key if kind == "monitor" else None,
            "requestId": key if kind == "request" else None,
            "indicator": given["indicator"],
            "latencyMs": given["latency_ms"] if given["indicator"] == Indicator.LATENCY else None,
            "target": given["target"],
            "windowDays": given["window_days"],
            "channelIds": given["channels"],
            "enabled": given["enabled"],
        }


@page(VIEWER)
def objectives(request: HttpRequest) -> HttpResponse:
    """Each with what is left of its budget and how fast it burns."""
    shown = Paginator(queries.objectives(), PER_PAGE).get_page(request.GET.get("page"))
    rows = queries.standings(list(shown.object_list), timezone.now())
    context = {"page": shown, "rows": rows, "may_operate": request.principal.may(OPERATOR)}
    return render(request, "alerts/objectives.html", context)


@page(VIEWER)
def objective(request: HttpRequest, pk: str) -> HttpResponse:
    found = get_object_or_404(queries.objectives(), pk=pk)
    standing = queries.standings([found], timezone.now())[0]
    request_name = SavedRequest.objects.filter(pk=found.request_id).values_list("name", flat=True).first()
    context = {
        "objective": found,
        "standing": standing,
        "request_name": request_name,
        "burns": [(window.total_seconds(), standing.recent[window], standing.rates[window]) for window in WINDOWS],
        "pairs": [(one, one.long.total_seconds(), one.short.total_seconds(), one == standing.pair) for one in PAIRS],
        "may_operate": request.principal.may(OPERATOR),
    }
    return render(request, "alerts/objective.html", context)


@page(OPERATOR)
def new(request: HttpRequest) -> HttpResponse:
    initial = {"subject": f"{MONITOR}{request.GET.get('monitor', '')[:64]}"}
    return form_page(
        request, ObjectiveForm(request.POST or None, initial=initial), ObjectiveSerializer, row=None, **KIND
    )


@page(OPERATOR)
def edit(request: HttpRequest, pk: str) -> HttpResponse:
    row = get_object_or_404(Objective, pk=pk)
    plain = {
        name: getattr(row, name) for name in ("name", "indicator", "latency_ms", "target", "window_days", "enabled")
    }
    subject = f"{MONITOR}{row.monitor_id}" if row.monitor_id else f"{REQUEST}{row.request_id}"
    initial = plain | {"subject": subject, "channels": [one.pk for one in row.channels.all()]}
    return form_page(
        request, ObjectiveForm(request.POST or None, initial=initial), ObjectiveSerializer, row=row, **KIND
    )


def _form(request: HttpRequest, initial: dict[str, Any]) -> ObjectiveForm:
    return ObjectiveForm(request.POST or None, initial=initial)


@page(OPERATOR)
def delete(request: HttpRequest, pk: str) -> HttpResponse:
    row = get_object_or_404(Objective, pk=pk)
    return delete_page(request, row, facts=ObjectiveSerializer(row).data, **KIND)
