"""The page of a person's messages."""

from django.core.paginator import Paginator
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils import timezone
from django.views.decorators.http import require_POST

from alerts.inbox import queries, services
from config.api.permissions import VIEWER
from config.pages import page

PER_PAGE = 50


@page(VIEWER)
def messages_of(request: HttpRequest) -> HttpResponse:
    """What channels in the product told this person, newest first."""
    shown = Paginator(queries.entries(request.user), PER_PAGE).get_page(request.GET.get("page"))
    return render(request, "alerts/inbox.html", {"page": shown, "unread": queries.unread_count(request.user)})


@require_POST
@page(VIEWER)
def read(request: HttpRequest) -> HttpResponse:
    services.mark_read(user=request.user, now=timezone.now())
    return redirect("ui:inbox")
