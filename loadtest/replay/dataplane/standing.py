"""Whether an answer still stands, and its counting: one statement for many questions (contract §4, §7.6, §11)."""

import json
import threading
from contextlib import nullcontext
from dataclasses import dataclass
from itertools import groupby
from typing import Any

from django.db import connection, transaction
from django.utils import timezone

from config.timeseries import commits
from config.timeseries.writer import Writer


@dataclass(slots=True)
class Ask:
    """Does the session still have this revision? If so, count the answer.

    `revision` 0 asks only whether it is open. `miss` is what `lastStrictMiss` becomes.
    """

    session_id: str
    revision: int
    injected: bool = False
    miss: dict[str, str] | None = None
    touch: bool = False
    stands: bool = False

    @property
    def writes(self) -> bool:
        return self.injected or self.miss is not None or self.touch


_eager = threading.local()  # the database connection of a thread whose commits are told before they are on disk
# Written out: to build them anew costs more than to run them.
COUNT = """
    UPDATE replay_session SET injected_spans = injected_spans + %s, strict_misses = strict_misses + %s,
    last_strict_miss = COALESCE(%s, last_strict_miss), touched_at = %s
    WHERE id = %s AND revision = %s AND closed_at IS NULL
"""
LOOK = "SELECT id, revision FROM replay_session WHERE closed_at IS NULL AND id IN ({})"


def settle(asks: list[Ask]) -> None:
    """Set `stands` of each. Answers of one session and revision are counted together; a miss writes nothing."""
    _make_ready()
    groups = [list(group) for _, group in groupby(sorted(filter(_writes, asks), key=_place), key=_place)]
    with connection.cursor() as cursor:
        with transaction.atomic() if len(groups) > 1 else nullcontext():
            for group in groups:
                _count(cursor, group)
        if reading := [ask for ask in asks if not ask.writes]:
            _look(cursor, reading)


def _make_ready() -> None:
    """Nothing is asked of the connection but what has to be: one that is gone shows, and the writer tries again."""
    connection.health_check_done = True  # type: ignore[attr-defined]  # the stubs do not know it
    connection.ensure_connection()
    if getattr(_eager, "connection", None) is not connection.connection:
        commits.tell_before_disk()
        _eager.connection = connection.connection


def _writes(ask: Ask) -> bool:
    return ask.writes


def _place(ask: Ask) -> tuple[str, int]:
    return ask.session_id, ask.revision


def _count(cursor: Any, asks: list[Ask]) -> None:
    misses = [ask.miss for ask in asks if ask.miss is not None]
    last = json.dumps(misses[-1]) if misses else None
    now = connection.ops.adapt_datetimefield_value(timezone.now())
    injected = sum(ask.injected for ask in asks)
    cursor.execute(COUNT, [injected, len(misses), last, now, asks[0].session_id, asks[0].revision])
    for ask in asks:
        ask.stands = cursor.rowcount > 0


def _look(cursor: Any, asks: list[Ask]) -> None:
    ids = list({ask.session_id for ask in asks})
    cursor.execute(LOOK.format(", ".join(["%s"] * len(ids))), ids)
    found = dict(cursor.fetchall())
    for ask in asks:
        ask.stands = ask.session_id in found and ask.revision in (0, found[ask.session_id])


writer: Writer[Ask] = Writer("inject answers", settle, patience_s=2.0)
