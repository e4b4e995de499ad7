"""What shells put out: rows first, then a hint to the socket that shows it (contract: fleet console §32.5).

A position is the number of bytes that the shell has put out before. Readers know theirs, so nothing is shown twice
and what a hint lost is read from the rows.
"""

import base64
import uuid
from datetime import datetime
from typing import Any, NamedTuple

from django.conf import settings
from django.db import transaction
from django.utils import timezone

from config import live
from fleet.terminals.models import TerminalOutput, TerminalSession

REPLAY_BYTES = 256 * 1024
RECORDED_BYTES = 8 * 1024 * 1024
TRIM_EVERY_BYTES = 64 * 1024
NOBODY = uuid.UUID(int=0)


class Shown(NamedTuple):
    """Output from `start` on. Where `start` is later than what was asked for, the rest is gone."""

    start: int
    data: bytes


def topic(session_id: uuid.UUID) -> str:
    """Where the sockets that show the session listen."""
    return f"terminal:{session_id}"


def session_id_of(text: object) -> uuid.UUID:
    """The id in a message; for anything that is none, one that no session has."""
    try:
        return uuid.UUID(text) if isinstance(text, str) else NOBODY
    except ValueError:
        return NOBODY


@transaction.atomic
def take(*, session: TerminalSession, data: bytes, now: datetime | None = None) -> None:
    """Keep what the shell put out and tell the socket that shows it. The row of the session must be locked."""
    start = session.output_bytes
    session.output_bytes += len(data)
    TerminalOutput.objects.create(session=session, start=start, at=now or timezone.now(), data=data)
    session.save(update_fields=["output_bytes"])
    if start // TRIM_EVERY_BYTES != session.output_bytes // TRIM_EVERY_BYTES:
        _trim(session)
    tell(session, "terminal-output", start=start, data=base64.b64encode(data).decode())


def tell(session: TerminalSession, kind: str, **facts: Any) -> None:
    """Tell the sockets that show the session, after the commit."""
    about = {"instanceId": session.instance_id, "teamId": session.instance.team_id, "sessionId": str(session.pk)}
    transaction.on_commit(lambda: live.publish(topic(session.pk), {"kind": kind, **about, **facts}))


def note_size(session: TerminalSession, *, now: datetime) -> None:
    """Keep, for the recording, that the screen has another size."""
    if session.recorded and session.output_bytes < RECORDED_BYTES:
        size = f"{session.cols}x{session.rows}".encode()
        TerminalOutput.objects.create(
            session=session, kind=TerminalOutput.Kind.RESIZE, start=session.output_bytes, at=now, data=size
        )


def _trim(session: TerminalSession) -> None:
    """Drop what neither a reconnect nor the recording needs."""
    kept = RECORDED_BYTES if session.recorded else 0
    session.output.filter(start__gte=kept, start__lt=session.output_bytes - REPLAY_BYTES).delete()


def since(session_id: uuid.UUID, position: int) -> Shown:
    """What came after the position, at most the last 256 KiB; from a new line on where the beginning is gone."""
    rows = TerminalOutput.objects.filter(session_id=session_id, kind=TerminalOutput.Kind.OUTPUT).order_by("-start")
    parts: list[bytes] = []
    start, size = None, 0
    for row_start, data in rows.filter(start__gte=position).values_list("start", "data").iterator(chunk_size=50):
        parts.append(bytes(data))
        start, size = row_start, size + len(parts[-1])
        if size >= REPLAY_BYTES:
            break
    data = b"".join(reversed(parts))
    if start is None:
        return Shown(position, b"")
    if start > position:
        skipped = data.find(b"\n", 0, 4096) + 1
        return Shown(start + skipped, data[skipped:])
    return Shown(start, data)


def recording_is_on() -> bool:
    return settings.TERMINAL_RECORDING
