"""Why a request was answered as it was: what every rule wanted and saw (the near-miss report)."""

from typing import Any

from config.api.errors import Invalid
from loadtest.replay.dataplane import loaded as memory
from loadtest.replay.matching.deciding import Decision, decide
from loadtest.replay.matching.near_misses import explain
from loadtest.replay.sessions import journal
from loadtest.replay.sessions.errors import no_session
from loadtest.replay.sessions.models import Entry, RuleUse, Session
from loadtest.replay.spans.exchange import Exchange, Response

MOST_REPORTS = 200
TEXTS = ("direction", "service", "method", "host", "path", "body")


def described(body: dict[str, Any]) -> Exchange:
    """A request written by a person: `{"method", "host", "path", "headers", "body", "direction", "service"}`.

    Raises Invalid.
    """
    faults = [
        {"path": name, "message": "must be text"} for name in TEXTS if not isinstance(body.get(name, ""), str | None)
    ]
    headers = body.get("headers") or {}
    if not isinstance(headers, dict) or not all(isinstance(value, str) for value in headers.values()):
        faults.append({"path": "headers", "message": "must be an object of texts"})
    if faults:
        raise Invalid("The request cannot be read", faults=faults)
    return journal.exchange_of(
        {
            "direction": body.get("direction") or "outbound",
            "service": body.get("service"),
            "method": body.get("method") or "GET",
            "authority": body.get("host"),
            "target": body.get("path") or "/",
            "headers": [(name.lower(), value) for name, value in headers.items()],
            "body": body.get("body"),
        }
    )


def of_journal(session: Session, entry_id: Any) -> Exchange:
    """The request of a line of the session's journal. Raises Invalid when there is no such line."""
    number = int(entry_id) if str(entry_id).isdecimal() and len(str(entry_id)) < 19 else 0
    entry = Entry.objects.filter(session=session, pk=number).first()
    if entry is None:
        raise Invalid("There is no such line in the journal", faults=[{"path": "entry", "message": "is not known"}])
    return journal.exchange_of(entry.request)


def report(session: Session, asked: Exchange) -> dict[str, Any]:
    """Who would answer now, and every rule against the request, the nearest first. Nothing is spent by asking."""
    if not session.is_open:
        raise no_session(session.pk)
    found = memory.ready(session)
    spent = set(RuleUse.objects.filter(session=session, spent_at__isnull=False).values_list("key", flat=True))

    def recorded(exchange: Exchange) -> Response | None:
        known = found.case.recordings.found(exchange)
        return known[0].response if known else None

    decision = decide(found.ruleset, asked, spent=lambda rule: rule.key in spent, captured=recorded)
    reports = [one.as_json() | {"spent": one.rule.key in spent} for one in explain(found.ruleset, asked)[:MOST_REPORTS]]
    return {"sessionRevision": session.revision, "answer": _told(decision), "rules": reports}


def _told(decision: Decision) -> dict[str, Any]:
    rule = decision.rule
    return {
        "outcome": str(decision.outcome),
        "status": decision.response.status if decision.response else None,
        "delayMs": decision.delay_ms,
        "rule": {"key": rule.key, "label": rule.label, "action": rule.action} if rule else None,
    }
