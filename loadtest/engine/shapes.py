"""Heads that are the same but for some values: a date, a number, a cookie. Recognised without parsing.

Most servers send one head again and again, a few of whose values change. A shape is learnt from two such heads: the
bytes that both have in common, with holes where values of harmless fields differ, and maybe that of Content-Length.
All bytes outside of the holes are compared, so what a shape recognises means what the two heads mean.
"""

FRAMING = (b"connection", b"transfer-encoding", b"content-length")
CHUNKED = -1
MAX_DIGITS = 18


class Shape:
    """What two heads have in common: how they begin, and the bytes after each hole. A hole is the rest of a line.

    `found` is what the heads say: status and whether the connection stays open. `length` is that of the body, or
    CHUNKED; the hole `length_hole` (counted from 0, -1 for none) tells it instead.
    """

    def __init__(
        self, found: tuple[int, bool], length: int, start: bytes, pieces: list[bytes], length_hole: int
    ) -> None:
        self.found, self.length = found, length
        self._start, self._from = start, len(start)
        self._pieces = [(piece, len(piece), hole == length_hole) for hole, piece in enumerate(pieces)]

    def match(self, data: bytes) -> int:
        """Where the response ends (of a chunked one, its head) that begins with `data`; -1 for another shape."""
        if not data.startswith(self._start):
            return -1
        at, length = self._from, self.length
        for piece, size, tells_length in self._pieces:
            end = data.find(b"\r\n", at)
            if not data.startswith(piece, end):
                return -1
            if tells_length:
                digits = data[at:end]
                if not digits.isdigit() or end - at > MAX_DIGITS:
                    return -1
                length = int(digits)
            at = end + size
        return at if length == CHUNKED else at + length


def learn(one: bytes, other: bytes, found: tuple[int, bool], length: int, *, bodiless: bool) -> Shape | None:
    """The shape of two heads that both say `found`; None if they differ in more than values of harmless fields.

    `length` is what the first says. `bodiless`: their Content-Length says nothing about the body.
    """
    lines, others = one.split(b"\r\n"), other.split(b"\r\n")
    if len(lines) != len(others) or lines[0] != others[0]:
        return None
    pieces, length_hole = [lines[0]], -1
    for line, also in zip(lines[1:], others[1:], strict=True):
        if line == also:
            pieces[-1] += b"\r\n" + line
            continue
        name, colon, value = line.partition(b":")
        before = name + colon + value[: len(value) - len(value.lstrip(b" \t"))]
        if not colon or not also.startswith(before):
            return None
        if name.strip().lower() in FRAMING and not bodiless:
            if name.lower() != b"content-length" or length < 0 or length_hole >= 0:
                return None
            length_hole = len(pieces) - 1
        pieces[-1] += b"\r\n" + before
        pieces.append(b"")
    pieces[-1] += b"\r\n\r\n"
    return Shape(found, length, pieces[0], pieces[1:], length_hole)
