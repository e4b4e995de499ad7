"""A capture as a document, made piece by piece: memory does not grow with its size (contract: traffic replay §6.1)."""

import json
import zlib
from collections.abc import Iterator
from typing import Any

from loadtest.replay.captures.models import Capture, Piece
from loadtest.replay.har.writing import write_har

AT_ONCE = 4  # pieces


def pieces(capture: Capture) -> Iterator[str]:
    """The JSON of the trace documents, joined by commas, in the order in which they came."""
    last = 0
    while rows := list(Piece.objects.filter(capture=capture, id__gt=last).order_by("id")[:AT_ONCE]):
        for row in rows:
            yield zlib.decompress(bytes(row.packed)).decode("ascii")
        last = rows[-1].id


def as_case(capture: Capture) -> Iterator[bytes]:
    """The case document with its `captureId`."""
    head = json.dumps(capture.head | {"captureId": capture.pk}, separators=(",", ":"))
    yield f'{head[:-1]},"traces":['.encode("ascii")
    separator = ""
    for text in pieces(capture):
        yield f"{separator}{text}".encode("ascii")
        separator = ","
    yield b"]}"


def as_har(capture: Capture) -> Iterator[bytes]:
    """The same as HAR 1.2."""
    log = write_har(capture.head | {"traces": []})["log"]
    log.pop("entries")
    yield f'{{"log":{json.dumps(log)[:-1]},"entries":['.encode("ascii")
    separator = ""
    for text in pieces(capture):
        for entry in write_har(capture.head | {"traces": json.loads(f"[{text}]")})["log"]["entries"]:
            yield f"{separator}{json.dumps(entry)}".encode("ascii")
            separator = ","
    yield b"]}}"


def traces(capture: Capture) -> Iterator[dict[str, Any]]:
    """The trace documents, one by one."""
    for text in pieces(capture):
        yield from json.loads(f"[{text}]")


def whole(capture: Capture, *, most_bytes: int) -> dict[str, Any] | None:
    """The case as an object; None when its traces are larger than `most_bytes`."""
    if capture.byte_count > most_bytes:
        return None
    return json.loads(b"".join(as_case(capture)))
