"""The audit page [ADMIN]: who did what, and the proof that nobody touched it."""

from datetime import timedelta
from typing import Any

from django import forms
from django.contrib import messages
from django.core.paginator import Paginator
from django.http import HttpRequest, HttpResponse, HttpResponseBase
from django.shortcuts import redirect, render
from django.urls import reverse
from django.views.decorators.http import require_GET, require_POST

from config.api.errors import Invalid, NotFound
from config.api.permissions import ADMIN
from config.pages import page
from security.audit import exporting, queries, verifying
from security.audit.models import Verification
from security.audit.presenting import present

PAGE_SIZE = 50
ACTIONS = (
    "CREATE", "UPDATE", "DELETE", "LOGIN", "LOGOUT", "DEPLOY", "DESTROY", "SUSPEND", "RESUME", "EXECUTE", "CONNECT",
    "DISCONNECT", "PERMISSION_CHANGE", "TEAM_ADD", "TEAM_REMOVE", "STOP", "CANCEL",
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


def wanted_of(form: FilterForm) -> dict[str, Any]:
    """The filter for `queries.entries`; the last day counts as a whole."""
    given = form.cleaned_data if form.is_valid() else {}
    return {
        "start": queries.midnight(given.get("start")),
        "end": queries.midnight(given["end"] + timedelta(days=1)) if given.get("end") else None,
        "user_email": given.get("who") or None,
        "action": given.get("action") or None,
        "resource": given.get("resource") or None,
        "resource_id": given.get("resource_id") or None,
    }


@require_GET
@page(ADMIN)
def audit(request: HttpRequest) -> HttpResponse:
    """The filtered log, and the verification that the address names."""
    form = FilterForm(request.GET)
    wanted = wanted_of(form)
    shown = Paginator(queries.entries(**wanted), PAGE_SIZE).get_page(request.GET.get("page"))
    present(shown.object_list)
    facts = {
        "form": form,
        "filtered": any(wanted.values()),
        "page": shown,
        "verification": Verification.objects.filter(pk=request.GET.get("verification", "")[:32]).first(),
        "too_many": shown.paginator.count > exporting.MOST,
        "most": exporting.MOST,
    }
    return render(request, "security/audit.html", facts)


@require_POST
@page(ADMIN)
def verify(request: HttpRequest) -> HttpResponse:
    """Begin to walk the chain; the page shows how far it is."""
    found = verifying.begin(actor=request.principal)
    return redirect(f"{reverse('ui:audit')}?verification={found.pk}")


@require_GET
@page(ADMIN)
def verification(request: HttpRequest, id: str) -> HttpResponse:
    """How far a verification is, for the page that shows it."""
    found = Verification.objects.filter(pk=id).first()
    if found is None:
        raise NotFound("There is no such verification")
    return render(request, "security/verification.html", {"verification": found})


@require_GET
@page(ADMIN)
def export(request: HttpRequest, form: str) -> HttpResponseBase:
    """The entries that the page's filter lets through as a file."""
    try:
        return exporting.answer(form=form, actor=request.principal, wanted=wanted_of(FilterForm(request.GET)))
    except Invalid as refusal:
        messages.error(request, refusal.message)
        return redirect(f"{reverse('ui:audit')}?{request.GET.urlencode()}")
