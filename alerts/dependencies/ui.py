"""Forms of dependencies."""

from typing import Any

from django import forms
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404

from alerts.dependencies.api import DependencySerializer
from alerts.dependencies.queries import visible
from alerts.labels.pages import delete_page, form_page
from config.api.authentication import Principal
from config.api.permissions import OPERATOR
from config.pages import page
from fleet.instances.models import Instance
from monitors.monitors.models import Monitor

KIND: dict[str, Any] = {"resource": "alert_dependency", "noun": "Dependency"}
MOST = 2000  # names that a list offers


class DependencyForm(forms.Form):
    parent = forms.ChoiceField(label="When this is down")
    child = forms.ChoiceField(label="nobody is told of", help_text="Measuring goes on.")

    def __init__(self, *args: Any, principal: Principal, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        machines = Instance.objects.visible_to(principal).existing().order_by("name", "pk")[:MOST]
        monitors = Monitor.objects.by_name()[:MOST]
        choices = [
            ("Instances", [(f"instance:{one.pk}", one.name) for one in machines]),
            ("Monitors", [(f"monitor:{one.pk}", one.name) for one in monitors]),
        ]
        for name in ("parent", "child"):
            self.fields[name].choices = choices

    def wire(self) -> dict[str, Any]:
        found = {}
        for side in ("parent", "child"):
            kind, _, key = self.cleaned_data[side].partition(":")
            found[f"{side}{kind.capitalize()}Id"] = key
        return found


@page(OPERATOR)
def new(request: HttpRequest) -> HttpResponse:
    form = DependencyForm(request.POST or None, principal=request.principal)
    return form_page(request, form, DependencySerializer, row=None, **KIND)


@page(OPERATOR)
def delete(request: HttpRequest, pk: str) -> HttpResponse:
    row = get_object_or_404(visible(request.principal), pk=pk)
    return delete_page(request, row, facts=DependencySerializer(row).data, **KIND)
