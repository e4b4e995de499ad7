"""Traces that a proxy reports: kept, partly kept, or dropped (contract: traffic replay §8 `/v1/traces`, §9)."""

import asyncio
import json
from collections.abc import Callable
from datetime import datetime
from typing import Any

from django.conf import settings
from django.utils import timezone

from config.api.errors import Forbidden
from config.streams import query
from loadtest.replay.captures import keeping
from loadtest.replay.captures.keeping import Upload
from loadtest.replay.captures.models import new_capture_id
from loadtest.replay.dataplane import loaded as memory
from loadtest.replay.dataplane.callers import Caller
from loadtest.replay.dataplane.loaded import Loaded
from loadtest.replay.matching.deciding import decide
from loadtest.replay.matching.redaction import scrub
from loadtest.replay.sessions import measuring, services
from loadtest.replay.sessions.errors import no_session
from loadtest.replay.sessions.models import Mode, Session, is_id
from loadtest.replay.spans.exchange import Response
from loadtest.replay.spans.reading import Span, exchange, parse, session_of, spans

TOO_WEAK = "This action requires the OPERATOR role or higher"
ANY = Response(200)


async def kept(body: bytes, content_type: str, caller: Caller) -> dict[str, Any]:
    """Keep an upload and tell where. Raises Malformed, NotFound, Forbidden, TooLarge, Unavailable."""
    upload, told = await query(prepared, body, content_type, caller)
    if upload is not None:
        with keeping.room.taken(len(upload.text)):
            await stored(upload)
        if upload.refusal:
            raise upload.refusal
        measuring.EXTRACTS.inc(upload.exchanges)
    return {"captureId": told, "accepted": True}


async def stored(upload: Upload) -> None:
    """Wait until the upload is committed, or its refusal is known."""
    await asyncio.wrap_future(keeping.writer.submit([upload]))


def prepared(body: bytes, content_type: str, caller: Caller) -> tuple[Upload | None, str]:
    """What is to be kept of an upload, scrubbed, and the id of its capture; nothing where no rule asks for it."""
    document, now = parse(body, content_type), timezone.now()
    session_id = session_of(document)
    if not session_id:
        return _standalone(document, caller, now)
    found = _session(session_id, caller, now)
    if found.mode != Mode.CAPTURE:
        chosen = only(document, lambda span: _asked_for(found, span))
        if chosen is None:
            return None, session_id
        document = chosen
    document = scrub(document, found.ruleset, headers=settings.REPLAY_SCRUB_HEADERS)
    return _upload(session_id, document, now), session_id


def _standalone(document: dict[str, Any], caller: Caller, now: datetime) -> tuple[Upload, str]:
    principal = caller.principal
    team_id = next(iter(caller.teams or ()), None) if principal.is_agent else services.team_of(principal)
    if not caller.may_ask(team_id):
        raise Forbidden(TOO_WEAK)
    upload = _upload(new_capture_id("cap"), scrub(document, headers=settings.REPLAY_SCRUB_HEADERS), now)
    upload.of_session, upload.team_id, upload.made_by = False, team_id, principal.name
    return upload, upload.capture_id


def _upload(capture_id: str, document: dict[str, Any], now: datetime) -> Upload:
    text = json.dumps(document, separators=(",", ":"))
    exchanges = sum(span.kind == "extract" for span in spans(document))
    return Upload(capture_id=capture_id, text=text, traces=1, exchanges=exchanges, now=now)


def _session(session_id: str, caller: Caller, now: datetime) -> Loaded:
    """The session with its rules of now: an open one, or a capture that was closed a moment ago."""
    row = Session.objects.filter(pk=session_id).first() if is_id(session_id) else None
    late = row and row.mode == Mode.CAPTURE and row.closed_at and now - row.closed_at <= keeping.LATE
    if row is None or not (row.is_open or late) or not caller.sees(row.team_id):
        raise no_session(session_id)
    if not caller.may_ask(row.team_id):
        raise Forbidden(TOO_WEAK)
    known = memory.sessions.get(session_id)
    return known if known and known.revision == row.revision else memory.ready(row)


def _asked_for(found: Loaded, span: Span) -> bool:
    """Whether a `capture_only` rule wins the span's request. Looking spends no rule."""
    if span.kind != "extract":
        return False

    def recorded(asked: Any) -> Response | None:
        return ANY if found.case.recordings.found(asked) else None

    decision = decide(found.ruleset, exchange(span), spent=lambda rule: False, captured=recorded)
    return decision.rule is not None and decision.rule.action == "capture_only"


def only(document: dict[str, Any], wanted: Callable[[Span], bool]) -> dict[str, Any] | None:
    """The document with these spans alone; None when there are none."""
    chosen = {id(span.raw) for span in spans(document) if wanted(span)}
    resources = []
    for resource in document["resourceSpans"]:
        scopes = []
        for scope in resource["scopeSpans"]:
            if own := [raw for raw in scope["spans"] if id(raw) in chosen]:
                scopes.append(scope | {"spans": own})
        if scopes:
            resources.append(resource | {"scopeSpans": scopes})
    return document | {"resourceSpans": resources} if resources else None
