"""What the pages of replay share."""

import json
from typing import Any

from django.http import HttpRequest, HttpResponse
from django.template.loader import render_to_string

from config.api.errors import Invalid
from config.api.permissions import OPERATOR
from loadtest.replay.dataplane import loaded as memory
from loadtest.replay.dataplane.loaded import Loaded
from loadtest.replay.documents.text import NotJson, parse
from loadtest.replay.sessions.errors import no_session
from loadtest.replay.sessions.models import Session, is_id
from loadtest.replay.sessions.services import live_topic

MOST_EDITED = 1_000_000  # characters of a document that a page shows for editing
Fault = dict[str, str]


def get_session(request: HttpRequest, pk: str) -> Session:
    """The session, closed ones included. Raises NotFound."""
    found = None
    if is_id(pk):
        found = Session.objects.visible_to(request.principal).filter(pk=pk).first()
    if found is None:
        raise no_session(pk)
    return found


def show(request: HttpRequest, template: str, context: dict[str, Any], *, status: int = 200) -> HttpResponse:
    """A page; halves of characters, which a document of JSON may hold, are shown as question marks."""
    text = render_to_string(template, context, request=request)
    return HttpResponse(text.encode(errors="replace"), status=status)


def frame(request: HttpRequest, session: Session) -> dict[str, Any]:
    """What every page of a session shows around its content."""
    may = request.principal.may(OPERATOR, team_id=session.team_id)
    return {
        "place": "sessions",
        "session": session,
        "topic": live_topic(session.pk),
        "may_operate": may and session.is_open,
        "api_path": f"/api/replay/v1/sessions/{session.pk}",
    }


def ready(session: Session) -> Loaded:
    """The session's rules compiled: those that this process keeps, when they are today's."""
    kept = memory.sessions.get(session.pk)
    if kept and kept.revision == session.revision:
        return kept
    return memory.load(session.pk) or memory.ready(session)


def written(document: Any) -> str | None:
    """A document as people edit it; None for one that is too large for a page."""
    text = json.dumps(document, indent=2, ensure_ascii=False)
    if text.encode(errors="replace").decode() != text:  # half characters are written as escapes
        text = json.dumps(document, indent=2)
    return text if len(text) <= MOST_EDITED else None


def typed(text: str) -> Any:
    """The JSON that a person typed. Raises Invalid with the place at which it breaks off."""
    try:
        return parse(text)
    except NotJson as error:
        raise Invalid("This is not JSON", faults=[{"path": "", "message": str(error)}]) from None


def faults_of(error: Any) -> list[Fault]:
    """What a service refused, each with its path."""
    return error.extra.get("faults") or [{"path": "", "message": error.message}]
