"""Bodies on their way: the begin of one is kept for the capture, unfolded for storage only."""

import contextlib
from collections.abc import Callable
from dataclasses import replace

import cramjam

from loadtest.replay.spans.exchange import Body

_UNFOLD: dict[str, Callable[[bytes, bytearray], int]] = {
    "gzip": cramjam.gzip.decompress_into,
    "x-gzip": cramjam.gzip.decompress_into,
    "deflate": cramjam.zlib.decompress_into,
    "br": cramjam.brotli.decompress_into,
    "zstd": cramjam.zstd.decompress_into,
}


class Kept:
    """The first `limit` bytes of a body that passes by, and whether there were more."""

    __slots__ = ("_limit", "_parts", "size", "truncated")

    def __init__(self, limit: int) -> None:
        self._limit, self._parts, self.size, self.truncated = limit, [], 0, False

    def add(self, chunk: bytes) -> None:
        room = self._limit - self.size
        if len(chunk) > room:
            self.truncated, chunk = True, chunk[:room]
        if chunk:
            self._parts.append(chunk)
            self.size += len(chunk)

    @property
    def content(self) -> bytes:
        return b"".join(self._parts)


def stored(kept: Kept, coding: str, limit: int) -> tuple[Body | None, bool]:
    """The body as a span carries it, and whether it was unfolded (then `content-encoding` is no longer true).

    What is cut off, damaged, or longer than `limit` bytes when unfolded stays as it came.
    """
    content, unfolded = kept.content, False
    unfold = _UNFOLD.get(coding.strip().lower())
    if unfold and content and not kept.truncated:
        room = bytearray(limit)
        with contextlib.suppress(cramjam.DecompressionError):
            content, unfolded = bytes(memoryview(room)[: unfold(content, room)]), True
    body = Body.of(content)
    return (replace(body, truncated=True) if body and kept.truncated else body), unfolded
