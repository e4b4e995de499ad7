"""Streams of bytes as lines."""

from collections.abc import Callable

LONGEST_LINE = 1 << 18
_LONGEST_TEXT = 1000


class Lines:
    """Calls `on_line` with each line, without its end; a line beyond the limit comes in pieces."""

    def __init__(self, on_line: Callable[[bytes], None]) -> None:
        self._rest, self._on_line = b"", on_line

    def take(self, data: bytes) -> None:
        *lines, self._rest = (self._rest + data).split(b"\n")
        for line in lines:
            self._on_line(line)
        if len(self._rest) > LONGEST_LINE:
            self.finish()

    def finish(self) -> None:
        """The stream is over: what came after the last line end is a line too."""
        if self._rest:
            rest, self._rest = self._rest, b""
            self._on_line(rest)


class Said(Lines):
    """Hands lines on to the log of the run and remembers the last one, in which Python names an error."""

    def __init__(self, write: Callable[[bytes], None]) -> None:
        super().__init__(self._line)
        self._write, self.last = write, ""

    def _line(self, line: bytes) -> None:
        self._write(line + b"\n")
        if line.strip():
            self.last = line[:_LONGEST_TEXT].decode(errors="replace").strip()
