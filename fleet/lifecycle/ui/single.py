"""Pages that act on one instance."""

from typing import Any

from django.contrib import messages
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect, render

from config.api.errors import ApiError
from config.api.permissions import OPERATOR, VIEWER, require
from config.pages import page
from fleet.instances.models import Instance
from fleet.instances.queries import get_visible
from fleet.lifecycle import services
from fleet.lifecycle.forms import BackupForm, DestroyForm
from fleet.lifecycle.states import available_actions
from fleet.providers.base import BACKUP
from fleet.providers.services import in_use


def _instance(request: HttpRequest, pk: str) -> Instance:
    found = get_visible(instance_id=pk, principal=request.principal)
    require(request.principal, OPERATOR, team_id=found.team_id)
    return found


@page(VIEWER, write=OPERATOR)
def act(request: HttpRequest, pk: str, action: str) -> HttpResponse:
    """Suspend or resume by POST."""
    service = {"suspend": services.suspend, "resume": services.resume}.get(action)
    if service is None or request.method != "POST":
        raise Http404
    found = _instance(request, pk)
    try:
        service(instance=found, actor=request.principal, request=request)
    except ApiError as refusal:
        messages.error(request, refusal.message)
    else:
        messages.success(request, f"{found.name}: {found.get_status_display().lower()}.")
    return redirect("ui:instance", pk=found.pk)


@page(VIEWER, write=OPERATOR)
def remove(request: HttpRequest, pk: str) -> HttpResponse:
    """Ask whether to take the record away, and do it; the machine stays."""
    found = _instance(request, pk)
    if request.method != "POST":
        return render(request, "fleet/instance_remove.html", {"instance": found})
    never_seen = found.awaiting_first_contact
    try:
        services.deregister(instance=found, actor=request.principal, request=request)
    except ApiError as refusal:
        messages.error(request, refusal.message)
    else:
        messages.success(request, f"{found.name}: {found.get_status_display().lower()}.")
    return redirect("ui:instances") if never_seen else redirect("ui:instance", pk=found.pk)


@page(VIEWER, write=OPERATOR)
def backup(request: HttpRequest, pk: str) -> HttpResponse:
    """Ask for a backup."""
    found = _instance(request, pk)
    form = BackupForm(request.POST or None)
    if request.method == "POST" and form.is_valid():
        try:
            services.back_up(instance=found, actor=request.principal, request=request, **form.cleaned_data)
        except ApiError as refusal:
            messages.error(request, refusal.message)
        else:
            messages.success(request, f"{found.name}: the backup has been asked for.")
        return redirect("ui:instance", pk=found.pk)
    return _shown(request, "fleet/instance_backup.html", found, form)


@page(VIEWER, write=OPERATOR)
def destroy(request: HttpRequest, pk: str) -> HttpResponse:
    """Ask for the name, and destroy the machine; with a backup first if that is possible and wanted."""
    found = _instance(request, pk)
    can_back_up = BACKUP in available_actions(found)
    form = DestroyForm(request.POST or None, name=found.name, can_back_up=can_back_up)
    if request.method == "POST" and form.is_valid():
        try:
            _, first = services.destroy(
                instance=found, actor=request.principal, request=request, backup_first=form.wants_backup
            )
        except ApiError as refusal:
            messages.error(request, refusal.message)
        else:
            messages.success(request, f"{found.name}: {'backup first, then destroyed' if first else 'destroyed'}.")
        return redirect("ui:instance", pk=found.pk)
    return _shown(request, "fleet/instance_destroy.html", found, form)


def _shown(request: HttpRequest, template: str, found: Instance, form: Any) -> HttpResponse:
    context = {"instance": found, "form": form, "driver": in_use(found)}
    context["may_back_up"] = BACKUP in available_actions(found)
    return render(request, template, context, status=400 if form.is_bound else 200)
