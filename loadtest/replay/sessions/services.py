"""What changes a session. Each change is one step of its revision, or none at all (contract: traffic replay §4, §5)."""

import json
import logging
import zlib
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime, timedelta
from typing import Any

from django.db import transaction
from django.db.models import QuerySet
from django.utils import timezone

from config import live
from config.api.authentication import Principal
from config.api.errors import ApiError, Invalid
from config.api.permissions import OPERATOR, require
from loadtest.replay.captures import keeping
from loadtest.replay.captures import services as captures
from loadtest.replay.captures.models import Capture, Origin
from loadtest.replay.documents import checks
from loadtest.replay.sessions import measuring
from loadtest.replay.sessions.errors import checked, closed, no_session
from loadtest.replay.sessions.models import Cursor, LoadedCase, Mode, RuleUse, Session, State, is_id, no_rules
from security.accounts.models import Membership
from security.audit.services import record
from security.vault.crypto import encrypt

log = logging.getLogger(__name__)
TOMBSTONE = timedelta(hours=24)  # that a closed id is still told from one that never was
AT_ONCE = 100
QUICK = 1
LIST_TOPIC = "replay"  # a session was opened or closed


def live_topic(session_id: str) -> str:
    """What pages listen to: `{"kind": "exchanges"}`, `{"kind": "changed"}`, `{"kind": "closed"}`."""
    return f"replay:{session_id}"


def _tell(session_id: str, kind: str) -> None:
    """Tell the pages after the commit: that of the session, and the list when one came or went."""
    topics = [live_topic(session_id)] + [LIST_TOPIC] * (kind != "changed")
    transaction.on_commit(lambda: live.publish_all([(topic, {"kind": kind}) for topic in topics]))


def team_of(actor: Principal) -> str | None:
    """The team that what the caller makes belongs to: the one it joined first, if it is in any."""
    if not actor.teams:
        return None
    mine = Membership.objects.filter(user_id=actor.user.pk, team_id__in=list(actor.teams))
    return mine.order_by("joined_at", "pk").values_list("team_id", flat=True).first()


@transaction.atomic
def create(*, mode: Any, policy: Any = None, actor: Principal, now: datetime | None = None) -> Session:
    """A new session. Raises Invalid for an unknown mode (`invalid_mode`) or a policy that is none."""
    if not isinstance(mode, str) or mode not in Mode.values:
        raise Invalid(f"mode must be one of {', '.join(Mode.values)}", code="invalid_mode")
    policy = checked({} if policy is None else policy, checks.policy_faults)
    team_id, now = team_of(actor), now or timezone.now()
    require(actor, OPERATOR, team_id=team_id)
    session = Session.objects.create(
        mode=mode, policy=policy, team_id=team_id, made_by=actor.name, created_at=now, touched_at=now
    )
    if mode == Mode.CAPTURE:
        keeping.begin(capture_id=session.pk, origin=Origin.SESSION, team_id=team_id, made_by=actor.name, now=now)
    _audit(session, "CREATE", actor, mode=mode)
    measuring.SESSIONS.labels(mode).inc()
    _tell(session.pk, "opened")
    return session


@contextmanager
def changed(session_id: str, actor: Principal, what: str, **facts: Any) -> Iterator[Session]:
    """One step of an open session: locked within the block, and one revision further when it ends well.

    Raises NotFound for one that is not open or not the caller's, Forbidden for one that it may only read.
    """
    with transaction.atomic():
        session = locked(session_id, actor)
        if not session.is_open:
            raise no_session(session_id)
        session.revision += 1
        yield session
        session.state, session.touched_at = State.CONFIGURED, timezone.now()
        session.save()
        _audit(session, "UPDATE", actor, document=what, revision=session.revision, **facts)
        _tell(session_id, "changed")


def locked(session_id: str, actor: Principal) -> Session:
    """The session's row, held until the transaction ends. Raises NotFound, Forbidden."""
    found = None
    if is_id(session_id):
        found = Session.objects.visible_to(actor).select_for_update().filter(pk=session_id).first()
    if found is None:
        raise no_session(session_id)
    require(actor, OPERATOR, team_id=found.team_id)
    return found


def set_rules(*, session_id: str, document: Any, actor: Principal) -> Session:
    """Replace the rules; once rules are armed again. A bare list counts as that of a document."""
    if isinstance(document, list):
        document = {"version": 1, "rules": document}
    checked(document, checks.rules_faults, status=422)
    rules = document["rules"]
    with changed(session_id, actor, "rules", rules=len(rules)) as session:
        session.rules, session.rule_count, session.rules_revision = document, len(rules), session.revision
        _rearm(session, "session", rules)
    return session


def load_case(*, session_id: str, document: Any, actor: Principal) -> tuple[Session, LoadedCase]:
    """Replace the case; its cursors start over, its once rules are armed again."""
    checked(document, checks.case_faults)
    checked(document, checks.case_rule_faults, status=422)
    rules, fixtures = document.get("rules") or [], document.get("fixtures") or []
    traces = len(document["traces"])
    packed = zlib.compress(json.dumps(document, separators=(",", ":")).encode("ascii"), QUICK)
    with changed(session_id, actor, "case", traces=traces, rules=len(rules)) as session:
        session.case_revision = session.revision
        case = LoadedCase(
            session=session, case_id=document["caseId"], trace_count=traces, rule_count=len(rules),
            fixture_names=[fixture["name"] for fixture in fixtures], packed=packed,
        )  # fmt: skip
        case.save()
        Cursor.objects.filter(session=session).delete()
        _rearm(session, "case", rules)
    return session, case


def set_policy(*, session_id: str, document: Any, actor: Principal) -> Session:
    """Replace the policy."""
    checked(document, checks.policy_faults)
    with changed(session_id, actor, "policy") as session:
        session.policy = document
    return session


def set_fixtures(*, session_id: str, document: Any, actor: Principal) -> tuple[Session, int]:
    """Replace the fixtures, of which only names are ever told again; the second value is their number."""
    checked(document, checks.fixtures_faults)
    names = [one["name"] for kind in ("fixtures", "cookies") for one in document.get(kind) or ()]
    names += list(document.get("metadata") or {})
    count = len(names) + len(document.get("tokens") or ())
    with changed(session_id, actor, "fixtures", count=count) as session:
        session.sealed_fixtures = encrypt(json.dumps(document), context=session.fixtures_context)
        session.fixture_names = names
    return session, count


def close(*, session_id: str, actor: Principal, wish: str = "", now: datetime | None = None) -> tuple[Session, Any]:
    """End a session; of a capture session the second value is its capture. No inject answers from it any more.

    Raises NotFound, Forbidden, Conflict (`session_closed`) the second time, ApiError (500) when the capture could not
    be written; it stays open then.
    """
    with transaction.atomic():
        session = locked(session_id, actor)
        if not session.is_open:
            raise closed(session_id)
        return session, _close(session, actor, wish, now or timezone.now())


def _close(session: Session, actor: Principal | None, wish: str, now: datetime) -> Capture | None:
    capture = captures.finish(session, wish=wish, now=now)
    session.state, session.closed_at = State.CLOSED, now
    session.policy, session.sealed_fixtures, session.fixture_names = {}, "", []
    session.save()
    Cursor.objects.filter(session=session).delete()
    if session.mode != Mode.CAPTURE:  # rules still say what is masked in traces that come late
        empty(Session.objects.filter(pk=session.pk))
    _audit(session, "CLOSE", actor, traces=capture.trace_count if capture else None)
    _tell(session.pk, "closed")
    return capture if session.mode == Mode.CAPTURE else None


def expire(*, now: datetime, after: timedelta) -> int:
    """Close sessions that nothing has used for so long, captures as by `close`. How many."""
    count = 0
    untouched = Session.objects.untouched(now - after).order_by("touched_at", "pk")
    for session_id in untouched.values_list("pk", flat=True)[:AT_ONCE]:
        try:
            with transaction.atomic():
                session = Session.objects.select_for_update().filter(pk=session_id).first()
                if session and session.is_open and session.touched_at < now - after:
                    _close(session, None, "", now)
                    count += 1
        except ApiError as error:  # its copy could not be written: the others must not wait for that
            log.error("session %s could not be closed: %s", session_id, error)
    return count


def empty(closed_ones: QuerySet[Session]) -> None:
    """Drop the rules and cases of closed sessions."""
    LoadedCase.objects.filter(session__in=closed_ones).delete()
    closed_ones.filter(rule_count__gt=0).update(rules=no_rules(), rule_count=0)


def bury(*, now: datetime) -> int:
    """Empty sessions whose late traces are in; forget those closed for longer than their ids are told apart."""
    empty(Session.objects.filter(closed_at__lt=now - keeping.LATE))
    return Session.objects.filter(closed_at__lt=now - TOMBSTONE).delete()[1].get("replay.Session", 0)


def _rearm(session: Session, layer: str, rules: list[dict[str, Any]]) -> None:
    """Uses of the former document go; rules that answer once are there to be claimed."""
    RuleUse.objects.filter(session=session, key__startswith=f"{layer}:").delete()
    fresh = [
        RuleUse(session=session, key=f"{layer}:{index}", revision=session.revision, once=True)
        for index, rule in enumerate(rules)
        if rule.get("consume") == "once"
    ]
    RuleUse.objects.bulk_create(fresh, batch_size=500)


def _audit(session: Session, action: str, actor: Principal | None, **facts: Any) -> None:
    place: dict[str, Any] = {"resource_id": session.pk, "team_id": session.team_id}
    record(actor=actor, action=action, resource="replay_session", **place, **facts)
