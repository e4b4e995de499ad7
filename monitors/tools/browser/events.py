"""What our driver tells while it runs: page loads, iterations, and why there is nothing."""

import msgspec

from monitors.tools.lines import Lines
from monitors.tools.samples import Samples, interpolated

VITALS = {"ttfb": "ttfbMs", "fcp": "fcpMs", "lcp": "lcpMs", "cls": "cls"}
SHARE = 0.75  # of page loads that are at least as good: how web vitals are judged
_MOST_PAGES = 20_000
_LONGEST_TEXT = 1000


class _Event(msgspec.Struct):
    kind: str
    ms: float = 0.0
    ok: bool = False
    at: float = 0.0  # seconds since 1970
    ttfb: float | None = None
    fcp: float | None = None
    lcp: float | None = None
    cls: float | None = None
    error: str = ""
    code: str = ""
    text: str = ""


class Events(Lines):
    """Page loads as samples; iterations that failed; the fault that ended everything."""

    def __init__(self, t_ms: float) -> None:
        super().__init__(self._line)
        self.samples = Samples(t_ms)
        self.failed_iterations = 0
        self.first_error = ""
        self.fault: tuple[str, str] | None = None
        self._first, self._last = float("inf"), float("-inf")
        self._vitals: dict[str, list[float]] = {name: [] for name in VITALS}
        self._decode = msgspec.json.Decoder(_Event).decode

    def _line(self, line: bytes) -> None:
        try:
            event = self._decode(line)
        except msgspec.DecodeError:  # the last line of a killed program, or something that the script wrote
            return
        if event.kind == "page":
            self.samples.add(max(0.0, event.ms), event.ok)
            self._first = min(self._first, event.at)
            self._last = max(self._last, event.at + event.ms / 1000)
            for name, values in self._vitals.items():
                value = getattr(event, name)
                if value is not None and len(values) < _MOST_PAGES:
                    values.append(value)
        elif event.kind == "iteration" and event.error:
            self.failed_iterations += 1
            self.first_error = self.first_error or event.error[:_LONGEST_TEXT]
        elif event.kind == "fault":
            self.fault = (event.code, event.text[:_LONGEST_TEXT])

    @property
    def elapsed_s(self) -> float:
        """From the start of the first page load to the end of the last one."""
        return self._last - self._first if self.samples.count else 0.0

    def vitals(self) -> dict[str, float | None]:
        """Each web vital at the 75th percentile of page loads; None when none told it."""
        return {
            theirs: interpolated(sorted(values), SHARE) if values else None
            for (name, theirs), values in zip(VITALS.items(), self._vitals.values(), strict=True)
        }
