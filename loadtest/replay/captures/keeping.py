"""Traces become pieces of a capture as they come, many uploads in one transaction (contract: traffic replay §8, §9)."""

import threading
import zlib
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime, timedelta
from itertools import groupby

from django.conf import settings
from django.db import transaction
from django.db.models import F

from config import live
from config.api.errors import ApiError, TooLarge, Unavailable
from config.timeseries.writer import Writer
from loadtest.replay.captures.models import Capture, Origin, Piece
from loadtest.replay.sessions.errors import no_session
from loadtest.replay.sessions.models import Mode, Session, State

PIECE_BYTES = 4 << 20  # of JSON in one piece, unless one upload alone is larger
LATE = timedelta(seconds=30)  # that a closed capture still takes what was on its way
WAITING_BYTES = 128 << 20  # of uploads in one process
QUICK = 1  # zlib's level: traces shrink well even so


@dataclass(slots=True)
class Upload:
    """Trace documents as JSON, joined by commas, for one capture. `refusal` says why they were not kept."""

    capture_id: str
    text: str
    traces: int
    exchanges: int
    now: datetime
    of_session: bool = True
    team_id: str | None = None
    made_by: str = ""
    refusal: ApiError | None = None


def store(uploads: list[Upload]) -> None:
    """Write uploads, or set their `refusal`. Captures in the order of their ids, so that two writers never wait."""
    with transaction.atomic():
        for capture_id, group in groupby(sorted(uploads, key=by_capture), key=by_capture):
            _store(capture_id, list(group))


def by_capture(upload: Upload) -> str:
    return upload.capture_id


def _store(capture_id: str, uploads: list[Upload]) -> None:
    first = uploads[0]
    session = _session(capture_id, first.now) if first.of_session else None
    if first.of_session and session is None:
        for upload in uploads:
            upload.refusal = no_session(capture_id)
        return
    capture = Capture.objects.select_for_update().filter(pk=capture_id).first() or begin(
        capture_id=capture_id,
        origin=Origin.SESSION if session else Origin.STANDALONE,
        team_id=session.team_id if session else first.team_id,
        made_by=session.made_by if session else first.made_by,
        now=first.now,
    )
    room, kept = settings.REPLAY_MAX_CAPTURE_BYTES - capture.byte_count, []
    for upload in uploads:
        if len(upload.text) > room:
            upload.refusal = TooLarge(f"The capture is full: it holds {settings.REPLAY_MAX_CAPTURE_BYTES} bytes")
            continue
        upload.refusal = None  # a batch may be written again
        room -= len(upload.text)
        kept.append(upload)
    if kept:
        add(capture_id, ((upload.text, upload.traces) for upload in kept), sum(one.exchanges for one in kept))
        Session.objects.filter(pk=capture_id).update(
            extracted_spans=F("extracted_spans") + sum(one.exchanges for one in kept), touched_at=first.now
        )
        transaction.on_commit(lambda: live.publish(f"replay:{capture_id}", {"kind": "captured"}))


def _session(session_id: str, now: datetime) -> Session | None:
    """The session, locked, if it takes traces: open, or a capture that was closed a moment ago."""
    session = Session.objects.select_for_update().filter(pk=session_id).first()
    if session is None or session.state != State.CLOSED:
        return session
    late = session.mode == Mode.CAPTURE and session.closed_at and now - session.closed_at <= LATE
    return session if late else None


def begin(*, capture_id: str, origin: Origin, team_id: str | None, made_by: str, now: datetime) -> Capture:
    """An empty capture."""
    head = {"version": "1.0.0", "caseId": capture_id, "mode": "capture", "createdAt": rfc3339(now)}
    return Capture.objects.create(
        id=capture_id, origin=origin, team_id=team_id, made_by=made_by, head=head, created_at=now
    )


def add(capture_id: str, texts: Iterable[tuple[str, int]], exchanges: int) -> None:
    """Append trace documents, given as JSON with their number, and count them."""
    traces = size = 0
    for text, count in _joined(texts):
        packed = zlib.compress(text.encode("ascii"), QUICK)
        Piece.objects.create(capture_id=capture_id, trace_count=count, packed=packed)
        traces, size = traces + count, size + len(text)
    Capture.objects.filter(pk=capture_id).update(
        trace_count=F("trace_count") + traces,
        exchange_count=F("exchange_count") + exchanges,
        byte_count=F("byte_count") + size,
    )


def _joined(texts: Iterable[tuple[str, int]]) -> Iterator[tuple[str, int]]:
    waiting: list[str] = []
    count = size = 0
    for text, number in texts:
        if waiting and size + len(text) > PIECE_BYTES:
            yield ",".join(waiting), count
            waiting, count, size = [], 0, 0
        waiting.append(text)
        count, size = count + number, size + len(text)
    if waiting:
        yield ",".join(waiting), count


def rfc3339(moment: datetime) -> str:
    """UTC to the second, as clients expect it."""
    return moment.strftime("%Y-%m-%dT%H:%M:%SZ")


writer: Writer[Upload] = Writer("traces", store, patience_s=4.0, capacity_rows=2000)


class Room:
    """Bounds what waits to be written in this process."""

    def __init__(self, most: int) -> None:
        self._left, self._lock = most, threading.Lock()

    @contextmanager
    def taken(self, size: int) -> Iterator[None]:
        """Raise Unavailable when there is no room for so many bytes."""
        with self._lock:
            if size > self._left:
                raise Unavailable("Too many traces wait to be stored. Send them again later.")
            self._left -= size
        try:
            yield
        finally:
            with self._lock:
                self._left += size


room = Room(WAITING_BYTES)
