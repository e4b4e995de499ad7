"""The answer to one question of a proxy (contract: traffic replay §7, §8).

Most questions are decided from what the process has loaded, and one short statement says whether that still holds. A
rule that answers once, and a recording that comes in turn, are claimed under the lock of the session's row.
"""

import asyncio
import json
import time
from dataclasses import dataclass, field
from functools import partial
from typing import Any

from django.db import transaction
from django.db.models import F, QuerySet
from django.utils import timezone

from config.api.errors import Forbidden, Malformed, Unavailable
from config.streams import query
from loadtest.replay.dataplane import loaded as memory
from loadtest.replay.dataplane import standing
from loadtest.replay.dataplane.callers import Caller
from loadtest.replay.dataplane.loaded import Loaded
from loadtest.replay.dataplane.standing import Ask
from loadtest.replay.matching.compiled import Rule
from loadtest.replay.matching.deciding import Decision, Outcome, decide, refusal, strict_miss
from loadtest.replay.matching.recordings import identity
from loadtest.replay.sessions import journal, measuring
from loadtest.replay.sessions.errors import no_session
from loadtest.replay.sessions.models import Cursor, RuleUse, Session
from loadtest.replay.spans.exchange import Exchange, Response
from loadtest.replay.spans.hits import hit, wants_json
from loadtest.replay.spans.reading import parse, question

JSON = "application/json; charset=utf-8"
REFUSED = 599
MOST_DELAY_MS = 30_000
DELAY = "x-pharos-delay-ms"  # how long a proxy that delays itself is to wait
TRIES = 20  # that a session may change under one question
MISS = json.dumps({"error": {"code": "not_found", "message": "no rule answers this request"}}).encode()
MISS_FLAT = json.dumps({"error": "not_found", "message": "no rule answers this request", "code": 4}).encode()


class NeedsRow(Exception):
    """The decision depends on what only the database knows."""


@dataclass(frozen=True)
class Answer:
    status: int
    body: bytes
    content_type: str = JSON
    headers: dict[str, str] = field(default_factory=dict)


def read(body: bytes, content_type: str) -> Exchange:
    """The question in a body. Raises Malformed: not OTLP, no inject span, or no session id."""
    asked = question(parse(body, content_type))
    if asked is None:
        raise Malformed("no span whose sp.span.type is inject")
    if not asked.session_id:
        raise Malformed("the inject span has no sp.session.id")
    return asked


async def answered(asked: Exchange, caller: Caller, *, accept: str, wire: bool, delays: bool = False) -> Answer:
    """What the proxy is told. Raises NotFound for a session that is not open or not the caller's, Forbidden.

    A proxy that `delays` itself is told for how long, so that its own time limit does not cut the delay short.
    """
    begun = time.perf_counter()
    found, decision = await _decided(asked, caller)
    if decision.delay_ms and not delays:
        begun += await _held_back(found, decision)
    answer = _written(asked, decision, accept=accept, wire=wire)
    if decision.delay_ms and delays:
        answer.headers[DELAY] = str(min(decision.delay_ms, MOST_DELAY_MS))
    journal.note(found.session_id, asked, decision, found.revision_of(decision.rule) if decision.rule else 0)
    result = decision.outcome if decision.outcome in (Outcome.HIT, Outcome.MISS) else "error"
    measuring.INJECTS.labels(str(result)).inc()
    measuring.LATENCY.observe(time.perf_counter() - begun)
    return answer


async def _decided(asked: Exchange, caller: Caller) -> tuple[Loaded, Decision]:
    for _ in range(TRIES):
        found = memory.sessions.get(asked.session_id) or await query(memory.load, asked.session_id)
        if found is None or not caller.sees(found.team_id):
            raise no_session(asked.session_id)
        if not caller.may_ask(found.team_id):
            raise Forbidden("This action requires the OPERATOR role or higher")
        try:
            decision = decide(
                found.ruleset, asked, spent=partial(_known_spent, found), captured=partial(_captured, found)
            )
        except NeedsRow:
            claimed = await query(_claimed, found, asked)
            if claimed is not None:
                return found, claimed
        else:
            ask = Ask(found.session_id, found.revision, injected=decision.injected, touch=found.to_touch())
            if decision.outcome is Outcome.REFUSED:
                ask.miss = strict_miss(asked)
            await settled(ask)
            if ask.stands:
                found.touched = time.monotonic() if ask.writes else found.touched
                return found, decision
        await query(_reload, found)
    raise Unavailable("The session changes faster than it can be asked")


async def settled(ask: Ask) -> None:
    """Wait until the ask is answered."""
    await asyncio.wrap_future(standing.writer.submit([ask]))


def _reload(stale: Loaded) -> None:
    if memory.load(stale.session_id) is None:
        memory.sessions.drop(stale.session_id)


def _known_spent(found: Loaded, rule: Rule) -> bool:
    if rule.key in found.spent:
        return True
    raise NeedsRow


def _captured(found: Loaded, asked: Exchange) -> Response | None:
    if not found.case.recordings.found(asked):
        return None
    raise NeedsRow


def _claimed(found: Loaded, asked: Exchange) -> Decision | None:
    """Decide with the session's row locked; None when it has changed since it was loaded."""
    now = timezone.now()
    with transaction.atomic():
        rows = Session.objects.open().filter(pk=found.session_id, revision=found.revision)
        if not rows.select_for_update().values_list("pk", flat=True).first():
            return None

        def spent(rule: Rule) -> bool:
            uses = RuleUse.objects.filter(
                session_id=found.session_id, key=rule.key, revision=found.revision_of(rule), once=True, spent_at=None
            )
            if rule.key not in found.spent and uses.update(spent_at=now):
                return False
            found.spent.add(rule.key)
            return True

        cursor = partial(_cursor, found, asked)
        decision = decide(found.ruleset, asked, spent=spent, captured=lambda _: _turn(found, asked, cursor()))
        if decision.rule and decision.rule.action == "replay":
            cursor().update(position=F("position") + 1)
        changes: dict[str, Any] = {"touched_at": now}
        if decision.injected:
            changes["injected_spans"] = F("injected_spans") + 1
        if decision.outcome is Outcome.REFUSED:
            changes |= {"strict_misses": F("strict_misses") + 1, "last_strict_miss": strict_miss(asked)}
        rows.update(**changes)
    return decision


def _cursor(found: Loaded, asked: Exchange) -> QuerySet[Cursor]:
    return Cursor.objects.filter(session_id=found.session_id, identity=identity(asked))


def _turn(found: Loaded, asked: Exchange, cursor: QuerySet[Cursor]) -> Response | None:
    """The recording whose turn it is for requests like this one."""
    if not found.case.recordings.found(asked):
        return None
    Cursor.objects.bulk_create([Cursor(session_id=found.session_id, identity=identity(asked))], ignore_conflicts=True)
    return found.case.recordings.answer(asked, cursor.values_list("position", flat=True).get())


async def _held_back(found: Loaded, decision: Decision) -> float:
    """Wait as the rule says; the seconds it took. Raises NotFound when the session was closed meanwhile."""
    delay_s = min(decision.delay_ms, MOST_DELAY_MS) / 1000
    await asyncio.sleep(delay_s)
    await settled(ask := Ask(found.session_id, 0))
    if not ask.stands:
        raise no_session(found.session_id)
    return delay_s


def _written(asked: Exchange, decision: Decision, *, accept: str, wire: bool) -> Answer:
    response = decision.response
    match decision.outcome:
        case Outcome.HIT if response is not None:
            return Answer(200, *hit(response, as_json=wants_json(accept)))
        case Outcome.ERROR if response is not None:
            return Answer(response.status, response.body.content if response.body else b"{}")
        case Outcome.REFUSED:
            body = json.dumps(refusal(asked, asked.session_id)).encode()
            return Answer(REFUSED, body, "application/json", {"x-softprobe-strict-miss": "1"})
        case _:
            return Answer(404, MISS if wire else MISS_FLAT)
