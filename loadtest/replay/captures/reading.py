"""Parts of a capture for a page: no more of it is unfolded than the page shows."""

import json
import zlib
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import islice

from loadtest.replay.captures.models import Capture, Piece
from loadtest.replay.spans.exchange import Exchange
from loadtest.replay.spans.reading import exchange, spans

MOST_SPANS = 500  # of the traces of one page


@dataclass(frozen=True)
class Seen:
    """An exchange with its place in the case: number of the trace, number of its span, both from 0."""

    trace: int
    span: int
    exchange: Exchange

    @property
    def place(self) -> str:
        return f"{self.trace}.{self.span}"


def seen(capture: Capture, *, start: int, count: int) -> list[Seen]:
    """The exchanges of `count` traces from number `start` on, at most MOST_SPANS."""
    return list(islice(_seen(capture, start, count), MOST_SPANS))


def one(capture: Capture, place: str) -> Seen | None:
    """The exchange at a place; None when there is none."""
    trace, _, span = place.partition(".")
    if not (trace.isascii() and trace.isdecimal() and span.isascii() and span.isdecimal() and len(place) < 20):
        return None
    return next((each for each in _seen(capture, int(trace), 1) if each.span == int(span)), None)


def _seen(capture: Capture, start: int, count: int) -> Iterator[Seen]:
    before = 0
    for pk, held in Piece.objects.filter(capture=capture).order_by("id").values_list("id", "trace_count"):
        first, before = before, before + held
        if before <= start:
            continue
        if first >= start + count:
            return
        packed = Piece.objects.values_list("packed", flat=True).get(pk=pk)
        documents = json.loads(f"[{zlib.decompress(bytes(packed)).decode('ascii')}]")
        for number, document in enumerate(documents, first):
            if start <= number < start + count:
                for index, span in enumerate(spans(document)):
                    yield Seen(number, index, exchange(span))
