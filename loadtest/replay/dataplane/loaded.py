"""Open sessions made ready for questions, kept by their revision in each process (contract: traffic replay §11).

What is kept here is never believed by itself: each answer is checked against the session's row, so that a change or a
close by another process holds for the next question.
"""

import json
import threading
import time
import zlib
from collections import OrderedDict
from dataclasses import dataclass, field
from typing import Any

from loadtest.replay.matching.compiled import Rule, RuleSet, compile_rules
from loadtest.replay.matching.recordings import Recordings
from loadtest.replay.sessions.models import LoadedCase, RuleUse, Session, is_id

MOST_SESSIONS = 256
MOST_BYTES = 64 << 20  # of documents as JSON; what is made of them is some times that
TOUCH_EVERY_S = 3600.0


@dataclass
class Case:
    """The case of a session at one revision, with its rules."""

    revision: int
    rules: list[dict[str, Any]]
    recordings: Recordings
    size: int


@dataclass
class Loaded:
    """A session as it was at `revision`. `spent` grows: once rules that are known to have answered."""

    session_id: str
    revision: int
    team_id: str | None
    mode: str
    rules_revision: int
    ruleset: RuleSet
    case: Case
    size: int
    spent: set[str] = field(default_factory=set)
    touched: float = field(default_factory=time.monotonic)

    def revision_of(self, rule: Rule) -> int:
        """At which revision the rule's document came."""
        return self.case.revision if rule.key.startswith("case:") else self.rules_revision

    def to_touch(self) -> bool:
        """Whether its row should be told that it is still in use."""
        return time.monotonic() - self.touched > TOUCH_EVERY_S


def load(session_id: str) -> Loaded | None:
    """Read an open session and keep it ready; None when there is none."""
    session = Session.objects.open().filter(pk=session_id).first() if is_id(session_id) else None
    if session is None:
        return None
    loaded = ready(session)
    sessions.put(loaded)
    return loaded


def ready(session: Session) -> Loaded:
    """The session with its rules compiled. A case that did not change is not read again."""
    before = sessions.get(session.pk)
    case = before.case if before and before.case.revision == session.case_revision else _case(session)
    rules = session.rules["rules"]
    spent = RuleUse.objects.filter(session=session, spent_at__isnull=False)
    return Loaded(
        session_id=session.pk,
        revision=session.revision,
        team_id=session.team_id,
        mode=session.mode,
        rules_revision=session.rules_revision,
        ruleset=compile_rules(rules, case.rules, session.policy),
        case=case,
        size=len(json.dumps(rules)) + case.size,
        spent=set(spent.values_list("key", flat=True)),
    )


def _case(session: Session) -> Case:
    row = LoadedCase.objects.filter(session=session).first()
    if row is None:
        return Case(session.case_revision, [], Recordings(None), 0)
    text = zlib.decompress(bytes(row.packed))
    document = json.loads(text)
    return Case(session.case_revision, document.get("rules") or [], Recordings(document), len(text))


class Sessions:
    """What this process has loaded, the longest unused leaving first. A revision replaces the one before."""

    def __init__(self) -> None:
        self._kept: OrderedDict[str, Loaded] = OrderedDict()
        self._bytes, self._lock = 0, threading.Lock()

    def get(self, session_id: str) -> Loaded | None:
        with self._lock:
            if found := self._kept.get(session_id):
                self._kept.move_to_end(session_id)
            return found

    def put(self, loaded: Loaded) -> None:
        with self._lock:
            self._drop(loaded.session_id)
            self._kept[loaded.session_id] = loaded
            self._bytes += loaded.size
            while len(self._kept) > MOST_SESSIONS or (self._bytes > MOST_BYTES and len(self._kept) > 1):
                self._drop(next(iter(self._kept)))

    def drop(self, session_id: str) -> None:
        with self._lock:
            self._drop(session_id)

    def clear(self) -> None:
        with self._lock:
            self._kept.clear()
            self._bytes = 0

    def _drop(self, session_id: str) -> None:
        if gone := self._kept.pop(session_id, None):
            self._bytes -= gone.size


sessions = Sessions()
