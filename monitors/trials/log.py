"""The log of a trial, small enough to be a column: its beginning, its end, one line between that tells what is out."""

from collections.abc import Iterable

from monitors.runs.output import Output

HEAD_BYTES, TAIL_BYTES = 64 * 1024, 192 * 1024


class TrialLog(Output):
    """Output of which the first 64 KiB and the last 192 KiB stay."""

    def __init__(self, secrets: Iterable[str]) -> None:
        super().__init__(secrets)
        self._head, self._tail, self._left_out = bytearray(), bytearray(), 0

    def take(self, *, last: bool = False) -> bool:
        """Take over what came since the last call; whether there was anything."""
        found = self.pieces(last=last)
        for _, data in found:
            room = HEAD_BYTES - len(self._head)
            self._head += data[:room]
            self._tail += data[room:]
        surplus = max(0, len(self._tail) - TAIL_BYTES)
        del self._tail[:surplus]
        self._left_out += surplus
        return bool(found)

    @property
    def text(self) -> str:
        if not self._left_out:
            return (self._head + self._tail).decode(errors="replace")
        head, tail = self._head.decode(errors="ignore"), self._tail.decode(errors="ignore")
        return f"{head}\n[runner] … {self._left_out} bytes left out …\n{tail}"
