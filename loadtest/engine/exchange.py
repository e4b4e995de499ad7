"""A kept response as people read it: status, headers, body."""

import zlib
from dataclasses import dataclass

from loadtest.engine.capture import MAX_BODY_BYTES
from loadtest.engine.http1 import CHUNKED, END_OF_HEAD, Heads, ProtocolError

_MAX_INFLATED = 1 << 20
_WINDOW = {"gzip": 31, "x-gzip": 31, "deflate": 15}


@dataclass(frozen=True)
class Exchange:
    """A response out of a sample. `truncated`: the body went on."""

    status: int
    reason: str
    headers: tuple[tuple[str, str], ...]
    body: bytes
    truncated: bool


def parse(payload: bytes, *, size: int, bodiless: bool = False) -> Exchange:
    """Read a payload of a ring. `size` is what the whole response had in bytes, `bodiless` that HEAD was asked.

    The body is without chunks and compression, and at most 64 KiB. Raises ProtocolError if not even the head is whole.
    """
    head, found, rest = payload.partition(END_OF_HEAD)
    if not found:
        raise ProtocolError("the head is longer than what was kept of the response")
    status, length, _ = Heads(bodiless=bodiless).parse(head)
    if status < 200:
        return parse(rest, size=size - len(head) - len(found), bodiless=bodiless)
    first, *lines = head.decode("latin-1").split("\r\n")
    fields = [line.partition(":") for line in lines]
    headers = tuple((name.strip(), value.strip()) for name, _, value in fields if name.strip())
    truncated = size > len(payload)
    body = _unchunked(rest) if length == CHUNKED else rest[:length] if length >= 0 else rest
    coding = next((value.lower() for name, value in headers if name.lower() == "content-encoding"), "")
    if coding in _WINDOW:
        body = _inflated(body, coding)
    truncated = truncated or len(body) > MAX_BODY_BYTES
    return Exchange(status, first[13:], headers, body[:MAX_BODY_BYTES], truncated)


def _unchunked(data: bytes) -> bytes:
    body = bytearray()
    while data:
        line, _, data = data.partition(b"\r\n")
        count = int(line.partition(b";")[0].strip() or b"0", 16)
        if not count:
            break  # the last chunk, or the cut
        body += data[:count]
        data = data[count + 2 :]
    return bytes(body)


def _inflated(body: bytes, coding: str) -> bytes:
    """As much as can be read: the end may be cut off."""
    try:
        return zlib.decompressobj(_WINDOW[coding]).decompress(body, _MAX_INFLATED)
    except zlib.error:
        return body
