"""Recordings: what a terminal showed, never what was typed into it, since that may be a password.

The format is asciinema's version 2: a header line, then one line `[seconds, "o" or "r", text]` for each event.
"""

import codecs
import gzip
import json
from collections.abc import Iterator
from datetime import datetime

from django.db import transaction

from fleet.terminals.models import TerminalOutput, TerminalRecording, TerminalSession
from fleet.terminals.output import RECORDED_BYTES


@transaction.atomic
def pack(session: TerminalSession, *, now: datetime) -> None:
    """Make the recording of an ended session, if it is recorded, and drop the rows it is made of."""
    if not TerminalSession.objects.filter(pk=session.pk, packed=False).update(packed=True):
        return
    if session.recorded and session.opened_at and session.output_bytes:
        lines = list(_lines(session))
        TerminalRecording.objects.create(
            session=session,
            content=gzip.compress("".join(lines).encode(), mtime=0),
            duration_ms=_ms(session, session.ended_at or now),
            truncated=session.output_bytes > RECORDED_BYTES,
            created_at=now,
        )
    session.output.all().delete()


def _lines(session: TerminalSession) -> Iterator[str]:
    rows = session.output.filter(start__lt=RECORDED_BYTES).order_by("id")
    first = rows.filter(kind=TerminalOutput.Kind.RESIZE).values_list("data", flat=True).first()
    width, _, height = (bytes(first).decode() if first else f"{session.cols}x{session.rows}").partition("x")
    header = {
        "version": 2,
        "width": int(width),
        "height": int(height),
        "timestamp": int((session.opened_at or session.created_at).timestamp()),
        "title": session.instance.name,
    }
    yield json.dumps(header) + "\n"
    decoder = codecs.getincrementaldecoder("utf-8")("replace")
    for kind, at, data in rows.values_list("kind", "at", "data").iterator(chunk_size=200):
        text = decoder.decode(bytes(data)) if kind == TerminalOutput.Kind.OUTPUT else bytes(data).decode()
        if text:
            yield json.dumps([_ms(session, at) / 1000, kind, text]) + "\n"


def _ms(session: TerminalSession, at: datetime) -> int:
    return max(0, int((at - (session.opened_at or session.created_at)).total_seconds() * 1000))


def text_of(recording: TerminalRecording) -> bytes:
    """The file, as players read it."""
    return gzip.decompress(bytes(recording.content))
