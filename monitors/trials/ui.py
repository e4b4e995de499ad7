"""The panel of a trial beside the form of its monitor."""

from typing import Any
from uuid import UUID

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.utils import timezone
from django.views.decorators.http import require_POST

from config.api.errors import NotFound
from config.api.permissions import OPERATOR, require
from config.pages import page
from monitors.trials import services
from monitors.trials.models import Trial
from monitors.trials.panel import about


@page(OPERATOR)
def panel(request: HttpRequest, pk: UUID) -> HttpResponse:
    """How the trial goes: alone for the live update, as a page of its own without scripts."""
    require(request.principal, OPERATOR)
    return shown(request, get(pk))


@page(OPERATOR)
@require_POST
def cancel(request: HttpRequest, pk: UUID) -> HttpResponse:
    require(request.principal, OPERATOR)
    services.cancel(trial=get(pk), now=timezone.now())
    return shown(request, get(pk))


def get(pk: UUID) -> Trial:
    found = Trial.objects.filter(pk=pk).first()
    if found is None:
        raise NotFound("This trial is not there any more: trials are kept for an hour")
    return found


def shown(request: HttpRequest, trial: Trial) -> HttpResponse:
    context: dict[str, Any] = about(trial)
    return render(request, "monitors/trial_panel.html" if request.htmx else "monitors/trial.html", context)
