"""What JMeter says on its output and in its log file, and which of it explains an end without a sample."""

from collections import deque
from collections.abc import Callable

from monitors.tools.lines import Lines

KEPT = 3
LONGEST = 1000
_BAD = (b"ERROR", b"FATAL", b"Error", b"Exception", b"cannot")


class Words:
    """Hands the lines of both streams on to the run's log; remembers the last complaints and the last lines."""

    def __init__(self, write: Callable[[bytes], None]) -> None:
        self._write = write
        self.output, self.log = Lines(self._line), Lines(self._line)
        self._last: deque[bytes] = deque(maxlen=KEPT)
        self._bad: deque[bytes] = deque(maxlen=KEPT)

    def _line(self, line: bytes) -> None:
        self._write(line + b"\n")
        if line.strip():
            self._last.append(line)
        if any(word in line for word in _BAD):
            self._bad.append(line)

    def finish(self) -> str:
        """The streams are over; the last complaints, else the last lines."""
        self.output.finish()
        self.log.finish()
        lines = (line[:LONGEST].decode(errors="replace").strip() for line in self._bad or self._last)
        return " / ".join(lines)[:LONGEST]
