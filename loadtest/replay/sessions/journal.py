"""What was asked of a session and who answered, written shortly after the answer (bounded for each session)."""

from collections import Counter
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from django.conf import settings
from django.db.models import F
from django.utils import timezone

from config import live
from config.api.errors import Unavailable
from config.timeseries.writer import Writer
from loadtest.replay.matching.deciding import Decision, Outcome
from loadtest.replay.matching.redaction import REDACTED
from loadtest.replay.sessions.models import Entry, Result, RuleUse, Session
from loadtest.replay.spans.exchange import Body, Exchange

KEPT = 1000  # entries of a session
AT_ONCE = 200  # entries of a session that one writing keeps, the newest; uses of rules are counted all
MOST_BODY = 4096
MOST_TEXT = 2048
MOST_HEADERS = 64
REFUSED = 599
RESULTS = {
    Outcome.HIT: Result.HIT, Outcome.MISS: Result.MISS, Outcome.REFUSED: Result.REFUSED, Outcome.ERROR: Result.ERROR,
}  # fmt: skip


@dataclass(frozen=True, slots=True)
class Line:
    session_id: str
    at: datetime
    asked: Exchange
    decision: Decision
    rule_revision: int


def note(session_id: str, asked: Exchange, decision: Decision, rule_revision: int) -> None:
    """Remember an answer. Never holds one up: when too many wait, this one is left out of the journal."""
    try:
        writer.queue([Line(session_id, timezone.now(), asked, decision, rule_revision)])
    except Unavailable:
        return  # the gauge of the queue shows that; the session's counters have it all the same


def write(lines: list[Line]) -> None:
    """Store entries and the uses of rules, drop what is too old, tell the pages."""
    known = set(Session.objects.filter(pk__in={line.session_id for line in lines}).values_list("pk", flat=True))
    by_session: dict[str, list[Line]] = {}
    for line in lines:
        if line.session_id in known:
            by_session.setdefault(line.session_id, []).append(line)
    for session_id, own in sorted(by_session.items()):
        entries = Entry.objects.bulk_create([_entry(line) for line in own[-min(AT_ONCE, KEPT) :]])
        _count(session_id, own)
        _trim(session_id)
        newest = [shown(entry) for entry in entries[-20:]]
        live.publish(f"replay:{session_id}", {"kind": "exchanges", "entries": newest, "count": len(own)})


def _entry(line: Line) -> Entry:
    rule, response = line.decision.rule, line.decision.response
    status = REFUSED if line.decision.outcome is Outcome.REFUSED else response.status if response else None
    return Entry(
        session_id=line.session_id,
        at=line.at,
        result=RESULTS[line.decision.outcome],
        status=status,
        rule=rule.key if rule else "",
        rule_revision=line.rule_revision,
        label=rule.label[:MOST_TEXT] if rule else "",
        action=rule.action if rule else "",
        request=told(line.asked),
    )


def _count(session_id: str, lines: list[Line]) -> None:
    uses: Counter[tuple[str, int]] = Counter()
    last: dict[tuple[str, int], datetime] = {}
    for line in lines:
        if line.decision.rule:
            place = (line.decision.rule.key, line.rule_revision)
            uses[place] += 1
            last[place] = line.at
    for (key, revision), count in sorted(uses.items()):
        row, _ = RuleUse.objects.get_or_create(session_id=session_id, key=key, revision=revision)
        RuleUse.objects.filter(pk=row.pk).update(hits=F("hits") + count, last_at=last[key, revision])


def _trim(session_id: str) -> None:
    own = Entry.objects.filter(session_id=session_id)
    if oldest := own.order_by("-id").values_list("id", flat=True)[KEPT : KEPT + 1].first():
        own.filter(id__lte=oldest).delete()


def told(asked: Exchange) -> dict[str, Any]:
    """A request for the journal: bounded, without secrets."""
    hidden = settings.REPLAY_SCRUB_HEADERS
    headers = [
        [name[:MOST_TEXT], REDACTED if name in hidden else value[:MOST_TEXT]]
        for name, value in asked.headers[:MOST_HEADERS]
    ]
    body = asked.body
    return {
        "direction": asked.direction[:16],
        "service": asked.service[:MOST_TEXT],
        "method": asked.method[:32],
        "authority": asked.authority[:MOST_TEXT],
        "target": asked.target[:MOST_TEXT],
        "headers": headers,
        "body": body.text[:MOST_BODY] if body else None,
        "bodyEncoding": body.encoding if body else "",
        "bodyTruncated": bool(body and (body.truncated or len(body.text) > MOST_BODY)),
    }


def exchange_of(request: dict[str, Any]) -> Exchange:
    """The question again, as far as the journal knows it."""
    text = request.get("body")
    return Exchange(
        kind="inject",
        direction=request.get("direction") or "",
        service=request.get("service") or "",
        method=request.get("method") or "",
        authority=request.get("authority") or "",
        target=request.get("target") or "",
        headers=tuple((name, value) for name, value in request.get("headers") or ()),
        body=Body(text, request.get("bodyEncoding") or "", bool(request.get("bodyTruncated"))) if text else None,
    )


def shown(entry: Entry) -> dict[str, Any]:
    """An entry as JSON."""
    rule = {"key": entry.rule, "label": entry.label, "action": entry.action, "revision": entry.rule_revision}
    return {
        "id": str(entry.pk),
        "at": entry.at.isoformat().replace("+00:00", "Z"),
        "result": entry.result,
        "status": entry.status,
        "rule": rule if entry.rule else None,
        "request": entry.request,
    }


writer: Writer[Line] = Writer("journal entries", write, patience_s=4.0)
