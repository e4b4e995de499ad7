"""The page of one run."""

from typing import Any
from uuid import UUID

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.views.decorators.http import require_POST

from config.api.errors import NotFound
from config.api.permissions import OPERATOR, VIEWER, require
from config.pages import page
from monitors.runs import logs, screenshots, services
from monitors.runs.models import Run, Screenshot

LINES_SHOWN = 500
PARTS = {"dnsMs": "Name look-up", "connectMs": "Connecting", "tlsMs": "TLS handshake", "firstByteMs": "First byte"}
VITALS = {"ttfbMs": "Time to first byte", "fcpMs": "First contentful paint", "lcpMs": "Largest contentful paint"}


@page(VIEWER)
def run(request: HttpRequest, pk: UUID) -> HttpResponse:
    """The verdict first, then what it rests on, then the log."""
    return render(request, "monitors/run.html", about(request, pk))


@page(VIEWER)
def body(request: HttpRequest, pk: UUID) -> HttpResponse:
    """All of it but the frame, for the live update."""
    return render(request, "monitors/run_body.html", about(request, pk))


@page(VIEWER)
def screenshot(request: HttpRequest, pk: UUID) -> HttpResponse:
    """What the browser showed when something failed."""
    return screenshots.answer(pk)


@page(OPERATOR)
@require_POST
def cancel(request: HttpRequest, pk: UUID) -> HttpResponse:
    require(request.principal, OPERATOR)
    _, changed = services.cancel(run=get(pk), actor=request.principal, request=request)
    messages.success(request, "The run is being cancelled." if changed else "The run was over already.")
    return redirect("ui:run", pk=pk)


def get(pk: UUID) -> Run:
    found = Run.objects.select_related("monitor", "script", "agent").defer("script__body").filter(pk=pk).first()
    if found is None:
        raise NotFound(f"Run '{pk}' not found")
    return found


def about(request: HttpRequest, pk: UUID) -> dict[str, Any]:
    found, words = get(pk), request.GET.get("q", "").replace("\x00", "").strip()[:200]
    lines = logs.read(found.pk).splitlines()
    wanted = [line for line in lines if words.lower() in line.lower()] if words else lines
    siblings = Run.objects.filter(monitor_id=found.monitor_id)
    metrics = found.metrics or {}
    return {
        "run": found,
        "metrics": metrics,
        "error_percent": None if metrics.get("errorRate") is None else metrics["errorRate"] * 100,
        "waited_ms": (found.started_at - found.queued_at).total_seconds() * 1000 if found.started_at else None,
        "parts": [(label, metrics[name]) for name, label in PARTS.items() if metrics.get(name) is not None],
        "vitals": [(label, metrics[name]) for name, label in VITALS.items() if name in metrics],
        "has_screenshot": Screenshot.objects.filter(run=found).exists(),
        "previous": siblings.filter(queued_at__lt=found.queued_at).newest_first().first(),
        "following": siblings.filter(queued_at__gt=found.queued_at).order_by("queued_at", "pk").first(),
        "log": "\n".join(wanted[-LINES_SHOWN:]),
        "log_lines": len(wanted),
        "log_left_out": max(0, len(wanted) - LINES_SHOWN),
        "q": words,
        "may_operate": request.principal.may(OPERATOR),
        "part_url": f"{reverse('ui:run-body', args=[found.pk])}?{request.GET.urlencode()}",
        "api_path": f"/api/runs/{found.pk}",
    }
