"""The newest alerts of a monitor, as a part of the monitor's page, which lies in a lower app."""

from uuid import UUID

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render

from alerts.incidents import queries
from config.api.permissions import VIEWER
from config.pages import page

SHOWN = 5


@page(VIEWER)
def alerts(request: HttpRequest, pk: UUID) -> HttpResponse:
    found = queries.visible(request.principal).filter(monitor_id=pk)
    return render(request, "alerts/monitor_alerts.html", {"monitor_id": pk, "alerts": found[:SHOWN]})
