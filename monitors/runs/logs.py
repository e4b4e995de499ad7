"""The log of a run: the first 256 KiB, the last 768 KiB, one marker between (contract: monitors §5.4)."""

import re
from collections import deque
from collections.abc import Iterable
from datetime import datetime
from uuid import UUID

from django.db import IntegrityError, transaction
from django.db.models import F
from django.utils import timezone

from monitors.runs.masking import Masker
from monitors.runs.models import LogChunk
from monitors.runs.output import HEAD_BYTES, TAIL_BYTES, Output, Piece, cut, encoded

_LINES = re.compile(r"[^\n]*\n|[^\n]+")  # splitlines() would also cut at \r, \f and the like


class LogWriter(Output):
    """The output of a run in this process, stored in pieces when `flush` is called.

    Pieces of the head stay; pieces of the tail go as newer ones come.
    """

    def __init__(self, run_id: UUID, secrets: Iterable[str]) -> None:
        super().__init__(secrets)
        self._run_id = run_id
        self._tail: deque[tuple[int, int]] = deque()  # (offset, size) of stored pieces of the tail
        self._tail_size = 0

    def flush(self, *, last: bool = False) -> bool:
        """Store what came since the last call; whether there was anything. `last` ends the output."""
        found = self.pieces(last=last)
        if not found:
            return False
        _store(self._run_id, found)
        self._forget(found)
        return True

    def _forget(self, pieces: list[Piece]) -> None:
        self._tail.extend((start, len(data)) for start, data in pieces if start >= HEAD_BYTES)
        self._tail_size += sum(len(data) for start, data in pieces if start >= HEAD_BYTES)
        old = []
        while self._tail and self._tail_size - self._tail[0][1] >= TAIL_BYTES:
            offset, size = self._tail.popleft()
            self._tail_size -= size
            old.append(offset)
        if old:
            LogChunk.objects.filter(run_id=self._run_id, offset__lte=old[-1], offset__gte=HEAD_BYTES).delete()


def append(run_id: UUID, data: bytes, *, secrets: Iterable[str], offset: int | None = None) -> bool:
    """Store a piece that an agent sent; False for one that is there already.

    `offset` counts bytes of the agent's whole output: a piece that comes twice is stored once, and a jump tells what
    the agent left out. Without it the piece follows the last one. Secrets are masked here too, also one that two
    pieces share.
    """
    masker, text = Masker(secrets), encoded(data.decode(errors="replace")).decode()
    try:
        with transaction.atomic():
            last = LogChunk.objects.filter(run_id=run_id).order_by("-offset").first()
            end = last.offset + last.size if last else 0
            start = end if offset is None else offset
            if start < end:
                return False
            upto = start + len(data)
            joins = last is not None and start == end
            before = last.text if last and joins else ""
            shown = masker.masked(before + text)
            if last and not shown.startswith(before):  # the last piece ended within a secret: write it anew
                last.delete()
                start, before = last.offset, ""
            _store(run_id, _around_the_head(start, encoded(shown[len(before) :]), upto), upto=upto)
            _forget_before(run_id, upto - TAIL_BYTES)
    except IntegrityError:  # the same piece came twice at once
        return False
    return True


def _around_the_head(start: int, text: bytes, upto: int) -> list[Piece]:
    """The piece, in two where it crosses the end of the head."""
    if not start < HEAD_BYTES < upto:
        return [(start, text)]
    first = b"".join(data for _, data in cut(text, start=start, until=HEAD_BYTES))
    return [(start, first), (start + len(first), text[len(first) :])]


def _store(run_id: UUID, pieces: list[Piece], *, upto: int | None = None) -> None:
    """Insert pieces; the last one reaches to `upto` in the output when masking has changed its length."""
    now = timezone.now()
    rows = [
        LogChunk(run_id=run_id, offset=start, size=len(data), text=data.decode(errors="replace"), at=now)
        for start, data in pieces
    ]
    if upto is not None:
        rows[-1].size = max(1, upto - rows[-1].offset)
    LogChunk.objects.bulk_create(rows)


def _forget_before(run_id: UUID, offset: int) -> None:
    """Drop pieces of the tail that end before an offset."""
    if offset > HEAD_BYTES:
        tail = LogChunk.objects.filter(run_id=run_id, offset__gte=HEAD_BYTES)
        tail.alias(end=F("offset") + F("size")).filter(end__lte=offset).delete()


def read(run_id: UUID, *, tail: int | None = None) -> str:
    """The stored log as text; with `tail` its last lines."""
    rows = LogChunk.objects.filter(run_id=run_id).order_by("offset").values_list("offset", "text")
    head, rest, start, end = [], [], 0, 0
    for offset, text in rows:
        size = len(text.encode())
        if offset < HEAD_BYTES:
            head.append(text)
        else:
            rest.append(text)
            start = start or offset
        end = offset + size
    first, last = "".join(head), "".join(rest)
    kept = last.encode()
    if len(kept) > TAIL_BYTES:
        last = kept[-TAIL_BYTES:].decode(errors="ignore")
    left_out = end - len(first.encode()) - len(last.encode())
    if last and left_out > 0:
        first += ("" if first.endswith("\n") else "\n") + f"[runner] … {left_out} bytes left out …\n"
    whole = first + last
    return "".join(_LINES.findall(whole)[-tail:]) if tail else whole


def delete_before(moment: datetime, *, most: int) -> int:
    """Delete at most `most` old pieces of logs; how many went."""
    old = list(LogChunk.objects.filter(at__lt=moment).order_by("at").values_list("pk", flat=True)[:most])
    return LogChunk.objects.filter(pk__in=old).delete()[0]
