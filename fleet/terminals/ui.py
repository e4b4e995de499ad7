"""Pages: the terminal of an instance, and what a terminal showed [ADMIN]."""

from django.conf import settings
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.utils import timezone

from config.api.permissions import ADMIN, DEVELOPER
from config.pages import page
from fleet.instances.listing import state_of
from fleet.instances.queries import get_visible
from fleet.terminals import output, queries, rights

MOST_SHOWN = 20


@page(DEVELOPER)
def terminal(request: HttpRequest, pk: str) -> HttpResponse:
    """A shell on the machine. It starts when its button is pressed, not when the page opens."""
    found, now = get_visible(instance_id=pk, principal=request.principal), timezone.now()
    rights.require_developer(request.principal, found)
    context = {
        "instance": found,
        "state": state_of(found, now),
        "reporting": found.online_at(now),
        "tab": "terminal",
        "recorded": settings.TERMINAL_RECORDING,
        "keep_days": settings.KEEP_DAYS["terminals"],
        "sessions": queries.of_instance(found, request.principal)[:MOST_SHOWN],
        "api_path": f"/api/v1/instances/{found.pk}/terminal",
    }
    return render(request, "fleet/instance_terminal.html", context)


@page(ADMIN)
def replay(request: HttpRequest, session_id: str) -> HttpResponse:
    """Play a recording."""
    recording = queries.recording_of(output.session_id_of(session_id))
    session = recording.session
    context = {
        "instance": session.instance,
        "session": session,
        "recording": recording,
        "duration_s": recording.duration_ms / 1000,
        "api_path": f"/api/v1/terminals/{session.pk}/recording",
    }
    return render(request, "fleet/terminal_replay.html", context)
