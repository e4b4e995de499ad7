"""Editing the documents of a session: its rules and its policy, as JSON with the exact place of each fault."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from django.contrib import messages
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect

from config.api.errors import ApiError, Conflict, Forbidden, NotFound
from config.api.permissions import OPERATOR, require
from config.pages import page
from loadtest.replay.dataplane.explaining import of_journal
from loadtest.replay.matching.drafting import mock_for
from loadtest.replay.sessions import services
from loadtest.replay.sessions.models import Session
from loadtest.replay.ui.common import MOST_EDITED, faults_of, frame, get_session, show, typed, written

FEWEST_ROWS, MOST_ROWS = 12, 60  # of the text field, so that a rule proposed at the end is seen


@dataclass(frozen=True)
class Edited:
    """A document that a person may edit."""

    name: str
    heading: str
    of: Callable[[Session], Any]
    save: Callable[..., Session]


RULES = Edited("rules", "Rules", lambda session: session.rules, services.set_rules)
POLICY = Edited("policy", "Policy", lambda session: session.policy, services.set_policy)
DOCUMENTS = {each.name: each for each in (RULES, POLICY)}


@page(OPERATOR)
def edit(request: HttpRequest, pk: str, name: str) -> HttpResponse:
    """Edit the rules or the policy; `?mock=<line of the journal>` proposes a rule for a request."""
    if name not in DOCUMENTS:
        raise Http404
    edited, session = DOCUMENTS[name], get_session(request, pk)
    require(request.principal, OPERATOR, team_id=session.team_id)
    if not session.is_open:
        raise NotFound("This session is closed")
    if request.method == "POST":
        return _save(request, edited, session)
    document = edited.of(session)
    proposed = edited is RULES and request.GET.get("mock")
    if proposed:
        document = {**document, "rules": [*document["rules"], _mock(session, proposed)]}
    return _form(request, edited, session, content=written(document), proposed=bool(proposed))


def _mock(session: Session, entry: str) -> dict[str, Any]:
    try:
        return mock_for(of_journal(session, entry))
    except ApiError as error:
        raise NotFound(error.message) from None


def _save(request: HttpRequest, edited: Edited, session: Session) -> HttpResponse:
    content = request.POST.get("content", "")
    try:
        if request.POST.get("revision") != str(session.revision):
            raise Conflict("The session was changed since this page was opened. Copy your text and open it again.")
        saved = edited.save(session_id=session.pk, document=typed(content), actor=request.principal)
    except (NotFound, Forbidden):
        raise
    except ApiError as error:
        return _form(request, edited, session, content=content[:MOST_EDITED], faults=faults_of(error))
    messages.success(request, f"{edited.heading} saved as revision {saved.revision}.")
    return redirect("ui:replay-session", pk=session.pk)


def _form(request: HttpRequest, edited: Edited, session: Session, **context: Any) -> HttpResponse:
    revision = request.POST.get("revision", session.revision)
    context = frame(request, session) | {"edited": edited, "revision": revision} | context
    context["api_path"] += f"/{edited.name}"
    context["rows"] = max(FEWEST_ROWS, min(MOST_ROWS, (context["content"] or "").count("\n") + 2))
    return show(request, "replay/document.html", context, status=422 if context.get("faults") else 200)
