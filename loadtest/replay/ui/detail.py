"""One session: its counters, rules with their hits, what was asked of it, and what it refused."""

from typing import Any

from django.core.paginator import Paginator
from django.http import Http404, HttpRequest, HttpResponse

from config.api.permissions import VIEWER
from config.pages import page
from loadtest.replay.captures.models import Capture
from loadtest.replay.matching.compiled import Layer, Rule
from loadtest.replay.sessions import queries
from loadtest.replay.sessions.models import Entry, Result, RuleUse, Session
from loadtest.replay.spans.values import text
from loadtest.replay.ui.common import frame, get_session, ready, show

PER_PAGE = 50
MOST_RULES, MOST_MISSES = 200, 20
LOOKED_AT = 200  # refusals, of which each different request is listed once
LAYERS = {Layer.SESSION: "session", Layer.CASE: "case"}


@page(VIEWER)
def session(request: HttpRequest, pk: str) -> HttpResponse:
    """The page of a session; a closed one shows its journal until it is forgotten."""
    found = get_session(request, pk)
    context = frame(request, found)
    for about in PARTS.values():
        context |= about(request, found)
    context |= {
        "capture": Capture.objects.visible_to(request.principal).filter(pk=pk).first(),
        "gateway": f"pharos gateway --forward --session {pk} --url {request.build_absolute_uri('/').rstrip('/')}",
        "header": f"x-softprobe-session-id: {pk}",
    }
    return show(request, "replay/session.html", context)


@page(VIEWER)
def part(request: HttpRequest, pk: str, name: str) -> HttpResponse:
    """One part of it, for the live update."""
    if name not in PARTS:
        raise Http404
    found = get_session(request, pk)
    return show(request, f"replay/session_{name}.html", frame(request, found) | PARTS[name](request, found))


def about_now(request: HttpRequest, session: Session) -> dict[str, Any]:
    return {"case": queries.case_of(session)}


def about_rules(request: HttpRequest, session: Session) -> dict[str, Any]:
    if not session.is_open:
        return {"rules": []}
    loaded, uses = ready(session), queries.uses_of(session)
    rules = loaded.ruleset.rules
    return {"rules": [_told(rule, uses.get(rule.key)) for rule in rules[:MOST_RULES]], "rule_total": len(rules)}


def _told(rule: Rule, use: RuleUse | None) -> dict[str, Any]:
    when = [(each.key, text(each.wanted)) for each in rule.predicates]
    return {"rule": rule, "layer": LAYERS[rule.layer], "number": rule.index + 1, "when": when, "use": use}


def about_journal(request: HttpRequest, session: Session) -> dict[str, Any]:
    wanted = request.GET.get("result", "")
    rows = Entry.objects.filter(session=session).order_by("-id")
    if wanted in Result.values:
        rows = rows.filter(result=wanted)
    shown = Paginator(rows, PER_PAGE).get_page(request.GET.get("page"))
    return {"page": shown, "wanted": wanted, "results": Result.choices, "query": request.GET.urlencode()}


def about_misses(request: HttpRequest, session: Session) -> dict[str, Any]:
    """Refused requests, each different one once with how often it came of late."""
    rows = Entry.objects.filter(session=session, result=Result.REFUSED).order_by("-id")[:LOOKED_AT]
    found: dict[tuple[str, str, str], dict[str, Any]] = {}
    for row in rows:
        asked = row.request
        line = (asked["method"], asked["authority"], asked["target"].partition("?")[0])
        found.setdefault(line, {"line": line, "entry": row, "count": 0})["count"] += 1
    return {"misses": list(found.values())[:MOST_MISSES]}


PARTS = {"now": about_now, "rules": about_rules, "misses": about_misses, "journal": about_journal}
