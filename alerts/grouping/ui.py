"""Forms of groupings."""

from typing import Any

from django import forms
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404

from alerts.grouping.api import GroupingSerializer
from alerts.grouping.models import Grouping
from alerts.labels.forms import MatchersField
from alerts.labels.pages import delete_page, form_page
from config.api.permissions import OPERATOR
from config.pages import page

KIND: dict[str, Any] = {"resource": "alert_grouping", "noun": "Grouping"}


class GroupingForm(forms.Form):
    name = forms.CharField(max_length=128)
    matchers = MatchersField(label="Which alerts", required=False)
    labels = forms.CharField(
        required=False, max_length=900, help_text="One group for each combination of these, like region, alertname."
    )
    wait_s = forms.IntegerField(min_value=0, initial=30, label="Wait", help_text="Seconds before the first message.")
    interval_s = forms.IntegerField(min_value=0, initial=300, label="Interval", help_text="Seconds between two.")
    repeat_s = forms.IntegerField(
        min_value=0, initial=14_400, label="Repeat", help_text="Seconds before telling again; 0 for never."
    )
    position = forms.IntegerField(min_value=0, initial=100, help_text="The first grouping that matches decides.")
    enabled = forms.BooleanField(required=False, initial=True, label="Switched on")

    def wire(self) -> dict[str, Any]:
        given = self.cleaned_data
        labels = [name.strip() for name in given["labels"].split(",") if name.strip()]
        numbers = {"waitS": given["wait_s"], "intervalS": given["interval_s"], "repeatS": given["repeat_s"]}
        same = {name: given[name] for name in ("name", "matchers", "position", "enabled")}
        return same | numbers | {"labels": labels}


@page(OPERATOR)
def new(request: HttpRequest) -> HttpResponse:
    return form_page(request, GroupingForm(request.POST or None), GroupingSerializer, row=None, **KIND)


@page(OPERATOR)
def edit(request: HttpRequest, pk: str) -> HttpResponse:
    row = get_object_or_404(Grouping, pk=pk)
    initial = {name: getattr(row, name) for name in GroupingForm.base_fields} | {"labels": ", ".join(row.labels)}
    return form_page(request, GroupingForm(request.POST or None, initial=initial), GroupingSerializer, row=row, **KIND)


@page(OPERATOR)
def delete(request: HttpRequest, pk: str) -> HttpResponse:
    row = get_object_or_404(Grouping, pk=pk)
    return delete_page(request, row, facts=GroupingSerializer(row).data, **KIND)
