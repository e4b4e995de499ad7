"""What may be done with a scenario: stop it, delete it."""

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.views.decorators.http import require_POST

from config.api.permissions import OPERATOR, require
from config.pages import page
from loadtest.signals.running import queries, services


@page(OPERATOR)
@require_POST
def stop(request: HttpRequest, pk: str) -> HttpResponse:
    """Ends the scenario; what it counted stays."""
    row = queries.get_visible(scenario_id=pk, principal=request.principal)
    require(request.principal, OPERATOR, team_id=row.team_id)
    if row.is_over:
        messages.info(request, "The scenario was over already.")
    else:
        services.stop(scenario=row, actor=request.principal, request=request)
        messages.success(request, f"{row.name} is being stopped.")
    return redirect("ui:signal", pk=pk)


@page(OPERATOR)
def delete(request: HttpRequest, pk: str) -> HttpResponse:
    """Asks first. A scenario that runs is stopped; with a tick, what it wrote into the platform goes too."""
    row = queries.get_visible(scenario_id=pk, principal=request.principal)
    require(request.principal, OPERATOR, team_id=row.team_id)
    if request.method == "POST":
        if services.ask_to_stop(scenario=row):
            services.await_end(row.pk)
        purge = request.POST.get("purge") == "yes"
        services.remove(scenario_id=row.pk, purge=purge, actor=request.principal, request=request)
        messages.success(request, f"{row.name} is deleted.")
        return redirect("ui:signals")
    return render(request, "signals/delete.html", {"row": row, "back_url": reverse("ui:signal", args=[pk])})
