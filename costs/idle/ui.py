"""The page of idle instances."""

from django.core.paginator import Paginator
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.utils import timezone

from config.api.permissions import VIEWER
from config.pages import page
from costs.idle.queries import USUAL_HOURS, WORDS, idle

PER_PAGE = 50
TIMES = {"24": "1 day", "48": "2 days", "168": "7 days", "720": "30 days"}


@page(VIEWER)
def idle_instances(request: HttpRequest) -> HttpResponse:
    """Who was not used for so long, and what that costs."""
    now = timezone.now()
    hours = request.GET.get("hours", "")
    hours = hours if hours in TIMES else str(USUAL_HOURS)
    found = idle(request.principal, hours=int(hours), now=now)
    shown = Paginator(found, PER_PAGE).get_page(request.GET.get("page"))
    context = {
        "place": "idle",
        "page": shown,
        "rows": [(one, one.hours(now) * 3600) for one in shown],
        "count": len(found),
        "wasted": sum(one.monthly or 0 for one in found),
        "unknown": sum(one.monthly is None for one in found),
        "hours": hours,
        "times": TIMES,
        "words": WORDS,
        "api_path": f"/api/v1/costs/idle?thresholdHours={hours}",
    }
    return render(request, "costs/idle.html", context)
