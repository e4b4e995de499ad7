"""What Locust tells while it runs: our recorder's samples."""

import re

from monitors.tools.lines import Lines
from monitors.tools.samples import Samples

_LINE = re.compile(rb"(\d+\.\d+) (-|\d+\.\d+(?:e-?\d+)?) ([01])")


class Recorded(Lines):
    """Reads the lines of `recorder`. `untimed` counts requests that were told without a time."""

    def __init__(self, t_ms: float) -> None:
        super().__init__(self._line)
        self.samples = Samples(t_ms)
        self.untimed = 0
        self._first, self._last = float("inf"), float("-inf")

    def _line(self, line: bytes) -> None:
        if not (match := _LINE.fullmatch(line)):  # something that the script wrote
            return
        if match[2] == b"-":
            self.untimed += 1
            return
        start, ms, ok = float(match[1]), float(match[2]), match[3]
        self.samples.add(ms, ok == b"1")
        self._first, self._last = min(self._first, start), max(self._last, start + ms / 1000)

    @property
    def elapsed_s(self) -> float:
        """From the start of the first request to the end of the last one."""
        return self._last - self._first if self.samples.count else 0.0
