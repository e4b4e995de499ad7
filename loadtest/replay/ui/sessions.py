"""The list of sessions, and how one begins and ends."""

from typing import Any

from django.contrib import messages
from django.core.paginator import Paginator
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.urls import reverse

from config.api.errors import ApiError, Conflict, NotFound
from config.api.permissions import OPERATOR, VIEWER
from config.pages import page
from loadtest.replay.captures.replaying import STRICT
from loadtest.replay.sessions import services
from loadtest.replay.sessions.models import LoadedCase, Mode, Session, State
from loadtest.replay.ui.common import frame, get_session, show

PER_PAGE = 25
MODES = (
    (Mode.REPLAY.value, "Replay", "answers requests by rules, or as they were captured"),
    (Mode.CAPTURE.value, "Capture", "keeps what a gateway reports, and becomes a case when closed"),
    (Mode.GENERATE.value, "Generate", "like replay, marked as the source of generated code"),
)


@page(VIEWER)
def sessions(request: HttpRequest) -> HttpResponse:
    """Sessions with their counters, the newest first."""
    return show(request, "replay/sessions.html", listed(request))


@page(VIEWER)
def rows(request: HttpRequest) -> HttpResponse:
    """The same rows with fresh counters."""
    return show(request, "replay/session_rows.html", listed(request))


def listed(request: HttpRequest) -> dict[str, Any]:
    """What the rows' template reads."""
    visible = Session.objects.visible_to(request.principal)
    tab = "closed" if request.GET.get("tab") == "closed" else "open"
    found = visible.filter(state=State.CLOSED) if tab == "closed" else visible.open()
    shown = Paginator(found.order_by("-created_at", "-id"), PER_PAGE).get_page(request.GET.get("page"))
    found_here = list(shown.object_list)
    cases = LoadedCase.objects.filter(session__in=found_here).defer("packed")
    by_session = {case.session_id: case for case in cases}
    return {
        "place": "closed" if tab == "closed" else "sessions",
        "page": shown,
        "tab": tab,
        "rows": [(session, by_session.get(session.pk)) for session in found_here],
        "topic": " ".join([services.LIST_TOPIC, *(services.live_topic(one.pk) for one in found_here if one.is_open)]),
        "rows_url": f"{reverse('ui:replay-rows')}?{request.GET.urlencode()}",
        "may_operate": request.principal.may_open(OPERATOR),
        "any": bool(found_here) or visible.exists(),
    }


@page(OPERATOR)
def new(request: HttpRequest) -> HttpResponse:
    """A new session: its mode, and whether calls that no rule answers are refused."""
    context: dict[str, Any] = {"place": "sessions", "modes": MODES, "mode": request.POST.get("mode", Mode.REPLAY.value)}
    if request.method == "POST":
        policy = STRICT if "strict" in request.POST else {}
        try:
            session = services.create(mode=request.POST.get("mode"), policy=policy, actor=request.principal)
        except ApiError as error:
            context["fault"] = error.message
            return show(request, "replay/session_new.html", context, status=422)
        messages.success(request, "The session is open.")
        return redirect("ui:replay-session", pk=session.pk)
    return show(request, "replay/session_new.html", context)


@page(OPERATOR)
def close(request: HttpRequest, pk: str) -> HttpResponse:
    """Ask, then end the session; that of a capture becomes a case."""
    session = get_session(request, pk)
    if request.method == "POST":
        try:
            session, capture = services.close(session_id=pk, actor=request.principal)
        except Conflict as error:
            messages.error(request, error.message)
            return redirect("ui:replay-session", pk=pk)
        except NotFound:
            raise
        except ApiError as error:  # its copy could not be written; it stays open
            context = frame(request, session) | {"fault": error.message}
            return show(request, "replay/session_close.html", context, status=error.status)
        messages.success(request, "The session is closed.")
        return redirect("ui:replay-capture", pk=capture.pk) if capture else redirect("ui:replay-session", pk=pk)
    return show(request, "replay/session_close.html", frame(request, session))
