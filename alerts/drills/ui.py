"""Pages of drills."""

from django import forms
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render

from alerts.channels.models import Channel
from alerts.drills import queries, services, signals
from alerts.rules.queries import get_visible
from config.api.errors import ApiError
from config.api.permissions import OPERATOR, VIEWER, require
from config.pages import page

SHOWN = 10


class DrillForm(forms.Form):
    """The rule's own channels come first; none is chosen, so that nobody is told by accident."""

    channels = forms.ModelMultipleChoiceField(
        Channel.objects.none(), widget=forms.CheckboxSelectMultiple, label="Tell",
        help_text="Only these are told. The message is marked as a drill, and its end is told too.",
    )  # fmt: skip

    def __init__(self, *args: object, **kwargs: object) -> None:
        super().__init__(*args, **kwargs)
        self.fields["channels"].queryset = Channel.objects.filter(enabled=True).order_by("name", "pk")


@page(OPERATOR)
def new(request: HttpRequest, pk: str) -> HttpResponse:
    """What the drill will do; on POST it begins."""
    rule = get_visible(principal=request.principal, rule_id=pk)
    require(request.principal, OPERATOR, team_id=rule.owner_team_id)
    form = DrillForm(request.POST if request.method == "POST" else None)
    refused = signals.impossible(rule)
    if request.method == "POST" and form.is_valid():
        try:
            drill = services.start(
                rule=rule, channels=list(form.cleaned_data["channels"]), actor=request.principal, request=request
            )
            return redirect("ui:drill", pk=drill.pk)
        except ApiError as error:
            form.add_error(None, error.message)
    earlier = queries.visible(request.principal).filter(rule=rule)[:SHOWN]
    context = {"rule": rule, "form": form, "refused": refused, "earlier": earlier}
    return render(request, "alerts/drill_form.html", context, status=422 if form.errors else 200)


@page(VIEWER)
def drill(request: HttpRequest, pk: str) -> HttpResponse:
    """The four moments, as they are reached."""
    found = queries.get_visible(principal=request.principal, pk=pk)
    part = request.headers.get("HX-Request") == "true"
    return render(request, "alerts/drill_moments.html" if part else "alerts/drill.html", {"drill": found})
