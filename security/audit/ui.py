"""The audit page [ADMIN]: who did what, and the proof that nobody touched it."""

import json
from datetime import timedelta

from django import forms
from django.core.paginator import Paginator
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render

from config.api.permissions import ADMIN
from config.pages import page
from security.audit import queries, services

PAGE_SIZE = 50
ACTIONS = (
    "CREATE", "UPDATE", "DELETE", "LOGIN", "LOGOUT", "DEPLOY", "DESTROY", "SUSPEND", "RESUME", "EXECUTE", "CONNECT",
    "DISCONNECT", "PERMISSION_CHANGE", "TEAM_ADD", "TEAM_REMOVE",
)  # fmt: skip


def text(label: str, longest: int) -> forms.CharField:
    widget = forms.TextInput(attrs={"class": "form-control", "size": 18})
    return forms.CharField(label=label, max_length=longest, required=False, widget=widget)


def day(label: str) -> forms.DateField:
    widget = forms.DateInput(attrs={"class": "form-control", "type": "date"})
    return forms.DateField(label=label, required=False, widget=widget)


class FilterForm(forms.Form):
    who = text("Who (e-mail address)", 254)
    action = forms.ChoiceField(
        label="What", choices=[("", "Anything"), *((one, one) for one in ACTIONS)], required=False,
        widget=forms.Select(attrs={"class": "form-select"}),
    )  # fmt: skip
    resource = text("On what", 64)
    resource_id = text("Its id", 128)
    start = day("From")
    end = day("To")


@page(ADMIN)
def audit(request: HttpRequest) -> HttpResponse:
    """The filtered log; POST walks the chain of seals."""
    form = FilterForm(request.GET)
    wanted = form.cleaned_data if form.is_valid() else {}
    rows = queries.entries(
        start=queries.midnight(wanted.get("start")),
        end=queries.midnight(wanted["end"] + timedelta(days=1)) if wanted.get("end") else None,
        user_email=wanted.get("who") or None,
        action=wanted.get("action") or None,
        resource=wanted.get("resource") or None,
        resource_id=wanted.get("resource_id") or None,
    )
    shown = Paginator(rows, PAGE_SIZE).get_page(request.GET.get("page"))
    for entry in shown:
        metadata = entry.metadata or {}
        entry.facts = [(name, json.dumps(value, indent=2, ensure_ascii=False)) for name, value in metadata.items()]
    facts = {
        "form": form,
        "filtered": any(wanted.values()),
        "page": shown,
        "verdict": services.verify() if request.method == "POST" else None,
    }
    return render(request, "security/audit.html", facts)
