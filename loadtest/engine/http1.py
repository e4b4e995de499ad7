"""HTTP/1.1 responses: where one ends, what its status is, whether the connection can carry the next one.

No input or output, no copy of bodies. RFC 9112 is followed where a mistake would mix up two responses, and servers
are forgiven what cannot (odd case, blanks, an unknown field).
"""

import re
import time

from loadtest.engine.shapes import CHUNKED, Shape, learn

UNTIL_CLOSE = -2
MAX_HEAD_BYTES = 65_536
MAX_LINE_BYTES = 8_192  # of a chunk's size with its extensions
MAX_INTERIM = 32  # 1xx responses before the final one
END_OF_HEAD = b"\r\n\r\n"
SHAPES, LEARN_EVERY_NS = 4, 1_000_000  # so many are known; heads of which no two are alike must not cost more than 1 %
MAX_HEX = 15

_HEX = re.compile(rb"[0-9a-fA-F]{1,15}").fullmatch
_STATUS_LINE = re.compile(rb"HTTP/1\.(\d) ([1-9]\d\d)(?: [^\r\n]*)?(?:\r\n|\Z)").match

_FRAMING_FIELDS = re.compile(rb"\r\n(content-length|transfer-encoding|connection):[ \t]*([^\r\n]*)").findall


class ProtocolError(Exception):
    """The peer did not send an HTTP/1 response. The text says why."""


class TooLarge(ProtocolError):
    """The body is larger than this run allows."""


class Truncated(ProtocolError):
    """The connection ended within a response."""


def parse_head(head: bytes, *, bodiless: bool = False) -> tuple[int, int, bool]:
    """Status, length of the body and whether the connection stays open.

    `head` is the status line and the fields, without the empty line. `bodiless`: the request was HEAD. The length is
    CHUNKED or UNTIL_CLOSE where the head does not tell it. Raises ProtocolError.
    """
    match = _STATUS_LINE(head)
    if match is None:
        raise ProtocolError("the status line is malformed")
    status = int(match[2])
    keep_alive = match[1] != b"0"
    length = codings = None
    for name, value in _FRAMING_FIELDS(head.lower()):  # lower() first: much faster than an expression without case
        if value == b"keep-alive":
            keep_alive = True
        elif name == b"connection":
            tokens = [token.strip() for token in value.split(b",")]
            keep_alive = b"close" not in tokens and (keep_alive or b"keep-alive" in tokens)
        elif name == b"content-length":
            length = value if length is None else length + b"," + value
        else:
            codings = value
    if bodiless or status < 200 or status == 204 or status == 304:
        return status, 0, keep_alive
    if codings is not None:
        chunked = codings.rsplit(b",", 1)[-1].strip() == b"chunked"
        return status, CHUNKED if chunked else UNTIL_CLOSE, keep_alive and chunked
    if length is None:
        return status, UNTIL_CLOSE, False
    if b"," in length:
        same = {part.strip() for part in length.split(b",")}
        length = same.pop() if len(same) == 1 else b""
    length = length.strip()
    if not length.isdigit() or len(length) > 18:
        raise ProtocolError("Content-Length is malformed or contradicts itself")
    return status, int(length), keep_alive


class Heads:
    """Remembers heads: one is a function of its bytes, and most servers repeat theirs but for a few values."""

    def __init__(self, *, bodiless: bool) -> None:
        self.bodiless = bodiless
        self._known: dict[bytes, tuple[int, int, bool]] = {}
        self._misses = 0
        self._shapes: list[Shape] = []
        self._before = b""  # the head that was looked at last
        self._learn_ns = 0

    def parse(self, head: bytes) -> tuple[int, int, bool]:
        known = self._known.get(head)
        if known is not None:
            self._misses = 0
            return known
        parsed = parse_head(head, bodiless=self.bodiless)
        self._misses += 1
        if self._misses < 1000:  # a server whose heads all differ would only fill the memory
            if len(self._known) >= 64:
                self._known.clear()
            self._known[head] = parsed
        return parsed

    def whole(self, data: bytes) -> tuple[int, bool] | None:
        """Status and keep-alive if this is one final response that tells its length, nothing missing, nothing more."""
        found = self.look(data)
        return found[:2] if found and not found[2] else None

    def look(self, data: bytes) -> tuple[int, bool, int] | None:
        """Status, keep-alive, and how many bytes of the body are still missing; None if that is not so simple."""
        for shape in self._shapes:
            end = shape.match(data)
            if end >= 0:
                return self._framed(data, end, shape.found, chunked=shape.length == CHUNKED)
        end = data.find(END_OF_HEAD)
        if end < 0:
            return None
        head = data[:end]
        status, length, keep_alive = self.parse(head)
        if status < 200 or length == UNTIL_CLOSE:
            return None
        if (now := time.perf_counter_ns()) >= self._learn_ns:
            self._learn_ns = now + LEARN_EVERY_NS
            self._learn(head, status, length, keep_alive)
        chunked = length == CHUNKED
        return self._framed(data, end + 4 + (0 if chunked else length), (status, keep_alive), chunked=chunked)

    def _framed(self, data: bytes, end: int, found: tuple[int, bool], *, chunked: bool) -> tuple[int, bool, int] | None:
        if chunked:
            return (*found, 0) if _all_chunks(data, end) else None
        missing = end - len(data)
        return (*found, missing) if missing >= 0 else None

    def _learn(self, head: bytes, status: int, length: int, keep_alive: bool) -> None:
        before, self._before = self._before, head
        if not before or self.parse(before)[::2] != (status, keep_alive):
            return
        bodiless = self.bodiless or status in (204, 304)
        shape = learn(head, before, (status, keep_alive), length, bodiless=bodiless)
        if shape is not None:
            self._shapes = [shape, *self._shapes[: SHAPES - 1]]


def _all_chunks(data: bytes, at: int) -> bool:
    """Whether chunks that begin here end with the data, without trailers. What is not so simple is for Response."""
    while True:
        end = data.find(b"\r\n", at, at + MAX_HEX + 2)
        if end < 0 or not _HEX(data[at:end]):
            return False
        size = int(data[at:end], 16)
        at = end + 2 + size
        if data[at : at + 2] != b"\r\n":
            return False
        at += 2
        if not size:
            return at == len(data)


class Rest:
    """The rest of a response whose length is known: nothing to look at, only to count. As Response otherwise."""

    __slots__ = ("bulk", "keep_alive", "size", "status")
    kept_for, wants_more, head = 0, False, b""

    def __init__(self, status: int, keep_alive: bool, size: int, missing: int) -> None:
        self.status, self.keep_alive, self.size, self.bulk = status, keep_alive, size, missing

    @property
    def sample(self) -> tuple[bytes, int, int]:
        return b"", self.size, 0

    def feed(self, data: bytes) -> bool:
        """Bytes of the body, and maybe more than that."""
        if len(data) > self.bulk:
            self.keep_alive = False
        return self.skip(min(len(data), self.bulk))

    def skip(self, count: int) -> bool:
        self.size += count
        self.bulk -= count
        return not self.bulk

    def end(self) -> None:
        raise Truncated("the connection ended within the response")


_HEAD, _LENGTH, _UNTIL_CLOSE, _SIZE, _CHUNK, _CHUNK_END, _TRAILER, _DONE = range(8)


class Response:
    """One response that does not come in one piece: feed it until it is complete.

    `bulk` is the number of bytes that need not be looked at: they may be read anywhere and reported to `skip`.
    """

    __slots__ = (
        "_buffer",
        "_heads",
        "_interim",
        "_kept",
        "_max_body",
        "_room",
        "_searched",
        "_state",
        "body",
        "bulk",
        "head",
        "keep_alive",
        "kept_for",
        "size",
        "status",
    )

    def __init__(self, heads: Heads, *, max_body: int) -> None:
        self._heads = heads
        self._max_body = max_body
        self._state = _HEAD
        self._buffer = b""
        self._interim = 0
        self._searched = 0  # bytes of the buffer in which the end of the head cannot begin
        self.status = 0
        self.keep_alive = False
        self.head = b""
        self.size = 0  # bytes so far
        self.body = 0  # bytes of the body so far, without its framing
        self.bulk = 0
        self.kept_for = 0  # the weight of the sample
        self._kept: list[bytes] = []
        self._room = 0

    def keep(self, room: int, weight: int) -> None:
        """Keep the first `room` bytes as they come, for a sample."""
        self.kept_for, self._room = weight, room

    @property
    def wants_more(self) -> bool:
        """Whether bytes of the body are kept, so that they must be fed rather than skipped."""
        return self._room > 0

    @property
    def sample(self) -> tuple[bytes, int, int]:
        """What was kept, the size of the whole response, and the weight of the sample."""
        return b"".join(self._kept), self.size, self.kept_for

    def feed(self, data: bytes) -> bool:
        """Take the next bytes; True once the response is complete. Raises ProtocolError."""
        if self._room > 0:
            self._kept.append(data[: self._room])
            self._room -= len(data)
        self.size += len(data)
        if self._buffer:
            data = self._buffer + data
            self._buffer = b""
        if self._state == _HEAD:
            rest = self._feed_head(data)
            if rest is None:
                return False
            data = rest
        if self._state >= _SIZE:
            return self._feed_chunks(data)
        if len(data) > self.bulk:
            self.keep_alive = False  # nobody asked for what follows
        return self._skip(min(len(data), self.bulk))

    def skip(self, count: int) -> bool:
        """`count` bytes of the body, at most `bulk`, were read and thrown away; True once the response is complete."""
        self.size += count
        return self._skip(count)

    def _skip(self, count: int) -> bool:
        self.body += count
        if self.body > self._max_body:
            raise TooLarge(f"the body is larger than {self._max_body} bytes")
        if self._state == _UNTIL_CLOSE:
            return False
        self.bulk -= count
        if self.bulk:
            return False
        if self._state == _CHUNK:
            self._state = _CHUNK_END
            return False
        self._state = _DONE
        return True

    def end(self) -> None:
        """The connection ended: fine if that is how this body ends. Raises Truncated if not."""
        if self._state != _UNTIL_CLOSE:
            raise Truncated("the connection ended within the response")
        self._state = _DONE

    def _feed_head(self, data: bytes) -> bytes | None:
        """What follows the final head, None if it is not there yet."""
        while True:
            if data[:7] != b"HTTP/1."[: len(data)]:
                raise ProtocolError("the answer is not HTTP/1")
            end = data.find(END_OF_HEAD, self._searched)
            if end > MAX_HEAD_BYTES or (end < 0 and len(data) > MAX_HEAD_BYTES):
                raise ProtocolError(f"the head is larger than {MAX_HEAD_BYTES} bytes")
            if end < 0:
                self._buffer, self._searched = data, max(0, len(data) - 3)
                return None
            self._searched = 0
            self.head = data[:end]
            self.status, length, self.keep_alive = self._heads.parse(self.head)
            data = data[end + 4 :]
            if self.status >= 200:
                break
            self._interim += 1
            if self.status == 101 or self._interim > MAX_INTERIM:
                raise ProtocolError("the server switched protocols or sent too many 1xx responses")
            if not data:
                return None
        if length > self._max_body:
            raise TooLarge(f"the body is larger than {self._max_body} bytes")
        if length == CHUNKED:
            self._state = _SIZE
        elif length == UNTIL_CLOSE:
            self._state, self.bulk = _UNTIL_CLOSE, 1 << 62
        else:
            self._state, self.bulk = _LENGTH, length
        return data

    def _feed_chunks(self, data: bytes) -> bool:
        at = 0
        while True:
            if self._state == _CHUNK:
                count = min(self.bulk, len(data) - at)
                self._skip(count)
                at += count
                if self._state == _CHUNK:
                    return False
            end = data.find(b"\r\n", at)
            if (len(data) if end < 0 else end) - at > MAX_LINE_BYTES:
                raise ProtocolError("a line of the chunked body is too long")
            if end < 0:
                self._buffer = data[at:]
                return False
            line, at = data[at:end], end + 2
            if self._state == _SIZE:
                size = line.partition(b";")[0].strip(b" \t")
                if not _HEX(size):
                    raise ProtocolError("the size of a chunk is malformed")
                self.bulk = int(size, 16)
                self._state = _CHUNK if self.bulk else _TRAILER
            elif self._state == _CHUNK_END:
                if line:
                    raise ProtocolError("a chunk is longer than its size")
                self._state = _SIZE
            elif not line:  # the empty line after the trailer
                self._state = _DONE
                self.keep_alive = self.keep_alive and at == len(data)
                return True
            else:
                self._interim += 1
                if self._interim > 1000:
                    raise ProtocolError("the trailer is too long")
