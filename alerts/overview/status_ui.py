"""The page that tells how the platform itself is."""

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.utils import timezone

from alerts.overview import status as platform
from config.api.permissions import VIEWER
from config.pages import page


@page(VIEWER)
def status(request: HttpRequest) -> HttpResponse:
    """How the platform itself is; the page asks again every 5 s, also while live events do not work."""
    now = timezone.now()
    facts = {
        "now": now,
        "about": platform.about(),
        "parts": [*platform.parts(), platform.punctuality(now)],
        "queues": platform.queues(now),
        "workers": platform.workers(now),
    }
    return render(request, "config/status_body.html" if request.htmx else "config/status.html", facts)
