"""Sessions as clients and pages read them (contract: traffic replay §5)."""

from typing import Any

from config.api.authentication import Principal
from loadtest.replay.captures.keeping import rfc3339
from loadtest.replay.sessions.errors import no_session
from loadtest.replay.sessions.models import LoadedCase, RuleUse, Session, is_id
from loadtest.replay.views import small


def get_open(*, session_id: str, principal: Principal | None) -> Session:
    """The open session, if the caller may see it. Raises NotFound."""
    found = None
    if is_id(session_id):
        found = Session.objects.open().visible_to(principal).filter(pk=session_id).first()
    if found is None:
        raise no_session(session_id)
    return found


def revision(session: Session, *, wire: bool) -> int:
    """The number as the profile counts: from 1, or from 0."""
    return small(session.revision - wire)


def case_of(session: Session) -> LoadedCase | None:
    """What is told of the loaded case, without its document."""
    return LoadedCase.objects.defer("packed").filter(session=session).first()


def uses_of(session: Session) -> dict[str, RuleUse]:
    """How often each rule of today's documents has answered, by the rule's key."""
    current = {"session": session.rules_revision, "case": session.case_revision}
    rows = RuleUse.objects.filter(session=session)
    return {row.key: row for row in rows if row.revision == current[row.key.partition(":")[0]]}


def head(session: Session, *, wire: bool) -> dict[str, Any]:
    """What every answer about a session begins with."""
    return {"sessionId": session.pk, "sessionRevision": revision(session, wire=wire)}


def listed(session: Session, *, wire: bool) -> dict[str, Any]:
    created = rfc3339(session.created_at)
    return head(session, wire=wire) | {"mode": session.mode, "createdAt": created, "state": session.state}


def counters(session: Session) -> dict[str, int]:
    return {
        "injectedSpans": small(session.injected_spans),
        "extractedSpans": small(session.extracted_spans),
        "strictMisses": small(session.strict_misses),
    }


def stats(session: Session) -> dict[str, Any]:
    return counters(session) | {"lastStrictMiss": session.last_strict_miss}


def shown(session: Session, *, wire: bool) -> dict[str, Any]:
    """The session in full; of fixtures the names only."""
    case = case_of(session)
    told = {"caseId": case.case_id, "traceCount": case.trace_count, "ruleCount": case.rule_count} if case else None
    names = [*session.fixture_names, *(case.fixture_names if case else ())]
    return listed(session, wire=wire) | {
        "policy": session.policy,
        "ruleCount": session.rule_count,
        "case": told,
        "fixtureNames": list(dict.fromkeys(names)),
        "stats": stats(session),
    }


def state(session: Session, *, wire: bool) -> dict[str, Any]:
    """What `inspect session` reads: the rules as they were given."""
    case = case_of(session)
    summary = {"caseId": case.case_id, "traceCount": case.trace_count} if case else {"traceCount": 0}
    return head(session, wire=wire) | {
        "mode": session.mode,
        "policy": session.policy,
        "rules": session.rules,
        "caseSummary": summary,
        "stats": stats(session),
    }
