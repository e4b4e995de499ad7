"""What may be done with a run: stop it, pin it as a baseline, delete it."""

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.views.decorators.http import require_POST

from config.api.errors import ApiError
from config.api.permissions import OPERATOR, require
from config.pages import page
from loadtest.runs import services
from loadtest.runs.ui import subject
from loadtest.runs.ui.detail import head


@page(OPERATOR)
@require_POST
def stop(request: HttpRequest, pk: str) -> HttpResponse:
    """Ends the run; the page shows what was measured until then."""
    require(request.principal, OPERATOR)
    run, changed = services.stop(run=subject.get(pk), actor=request.principal, request=request)
    if not changed:
        messages.info(request, "The run was over already.")
    elif run.is_over:
        messages.success(request, "The run is stopped.")
    else:
        messages.warning(request, "The run is being stopped. Its worker has not answered yet.")
    return redirect("ui:load-run", pk=pk)


@page(OPERATOR)
@require_POST
def pin(request: HttpRequest, pk: str) -> HttpResponse:
    """A pinned run is a baseline and is kept whatever the retention says."""
    require(request.principal, OPERATOR)
    pinned = request.POST.get("pinned") == "yes"
    try:
        services.pin(run=subject.get(pk), pinned=pinned, actor=request.principal, request=request)
    except ApiError as refusal:
        messages.error(request, refusal.message)
    else:
        messages.success(
            request,
            "Pinned as baseline: later runs of the same request are compared with it, and it is kept for good."
            if pinned
            else "This run is no baseline any more.",
        )
    return redirect("ui:load-run", pk=pk)


@page(OPERATOR)
def delete(request: HttpRequest, pk: str) -> HttpResponse:
    """Asks first; an active run is stopped."""
    require(request.principal, OPERATOR)
    found = subject.get(pk)
    if request.method == "POST":
        services.delete(run=found, actor=request.principal, request=request)
        messages.success(request, "The run is deleted.")
        return redirect("ui:load-runs")
    return render(request, "loadtest/run_delete.html", head(request, found))
