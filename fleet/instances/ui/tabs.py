"""More pages of one instance: its events, its extensions, and what the audit log says of it."""

from django.core.paginator import Paginator
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render

from config.api.permissions import ADMIN, VIEWER
from config.pages import page
from fleet.instances import queries, timeline
from fleet.instances.models import Event, Inventory
from fleet.instances.ui.detail import about
from security.audit import queries as audit_log
from security.audit.presenting import present

AUDITED = "instance"
PER_PAGE = 50


@page(VIEWER)
def events(request: HttpRequest, pk: str) -> HttpResponse:
    """What happened, newest first; the filter and the place are in the address."""
    found = queries.get_visible(instance_id=pk, principal=request.principal)
    type = request.GET.get("type", "").upper()
    type = type if type in Event.Type.values else ""
    shown = timeline.page(found, type=type, before=request.GET.get("before", ""))
    context = {
        "tab": "events",
        "lines": [timeline.told(event) for event in shown.events],
        "types": Event.Type.choices,
        "type": type,
        "older": shown.older,
        "first_page": not request.GET.get("before"),
        "api_path": f"/api/v1/instances/{found.pk}/events?limit=50",
    }
    return render(request, "fleet/instance_events.html", about(request, found) | context)


@page(VIEWER)
def extensions(request: HttpRequest, pk: str) -> HttpResponse:
    """What is installed, as the agent reported it."""
    found = queries.get_visible(instance_id=pk, principal=request.principal)
    inventory = Inventory.objects.filter(instance=found).first()
    reported_at = inventory.extensions_at if inventory else None
    reported = {row["name"] for row in (inventory.extensions or [])} if inventory else set()
    context = {
        "tab": "extensions",
        "rows": [row | {"reported": row["name"] in reported} for row in queries.extensions(found)],
        "reported_at": reported_at,
        "api_path": f"/api/v1/instances/{found.pk}/extensions",
    }
    return render(request, "fleet/instance_extensions.html", about(request, found) | context)


@page(ADMIN)
def audit(request: HttpRequest, pk: str) -> HttpResponse:
    """Who did what with this instance."""
    found = queries.get_visible(instance_id=pk, principal=request.principal)
    entries = audit_log.entries(resource=AUDITED, resource_id=found.pk)
    shown = Paginator(entries, PER_PAGE).get_page(request.GET.get("page"))
    present(shown.object_list)
    context = {
        "tab": "audit",
        "page": shown,
        "api_path": f"/api/v1/audit?resource={AUDITED}&resource_id={found.pk}",
    }
    return render(request, "fleet/instance_audit.html", about(request, found) | context)
