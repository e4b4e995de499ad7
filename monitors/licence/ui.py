"""Settings: the licence, what it allows, and a new one."""

from django import forms
from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.views.decorators.debug import sensitive_post_parameters

from config.api.errors import ApiError
from config.api.permissions import ADMIN, VIEWER
from config.pages import page, show_errors
from monitors.agents.models import DEFAULT, Agent
from monitors.licence import services
from monitors.monitors.models import Monitor


class LicenceForm(forms.Form):
    licenseKey = forms.CharField(  # noqa: N815 - as the contract's API names it, so that its faults find the field
        label="Licence key", max_length=10_000, widget=forms.Textarea(attrs={"rows": 4, "autocomplete": "off"}),
        help_text="It takes the place of the present one, and is never shown again.",
    )  # fmt: skip


@sensitive_post_parameters()
@page(VIEWER, write=ADMIN)
def licence(request: HttpRequest) -> HttpResponse:
    """What the licence allows and how much of it is used; POST installs another."""
    form = LicenceForm(request.POST or None)
    if request.method == "POST" and form.is_valid():
        try:
            services.install(text=form.cleaned_data["licenseKey"], actor=request.principal, request=request)
        except ApiError as error:
            show_errors(form, error)
        else:
            messages.success(request, "The licence is installed.")
            return redirect("ui:licence")
    facts = {
        "form": form,
        "here": services.standing(),
        "monitors": Monitor.objects.count(),
        "agents": Agent.objects.current().exclude(pk=DEFAULT).count(),
        "may_install": request.principal.may(ADMIN),
    }
    return render(request, "monitors/licence.html", facts, status=422 if form.errors else 200)
