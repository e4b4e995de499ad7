"""Settings: the integrations. Whether one is configured and what to set, never a value."""

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.views.decorators.http import require_GET

from config.api.permissions import OPERATOR, VIEWER
from config.pages import page
from security.integrations.known import CREDENTIALS
from security.integrations.queries import states


@require_GET
@page(VIEWER)
def integrations(request: HttpRequest) -> HttpResponse:
    context = {"states": states(), "specs": CREDENTIALS.values(), "may_keep": request.principal.may(OPERATOR)}
    return render(request, "security/integrations.html", context)
