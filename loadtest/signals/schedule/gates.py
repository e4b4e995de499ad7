"""The gate of `while`: open and shut by the upstream's latest value, debounced (contract: signals §8.7). Pure."""

from typing import Literal

import msgspec

from loadtest.signals.scenario.entry import Gate

State = Literal["pending", "running", "paused", "held"]


class Turn(msgspec.Struct, frozen=True):
    """The gate opened or shut: the new state, and what to send once when it shut after samples were sent.

    `stale_marker`: tell a sink that knows such markers that the series end here.
    """

    state: State
    snap_to: float | None = None
    stale_marker: bool = False


class GateKeeper:
    """Feed it at each look with the upstream's latest value; until the first opening its state is `pending`."""

    def __init__(self, gate: Gate) -> None:
        self._gate = gate
        self._since_s: float | None = None  # since when the value asks for the other side
        self.state: State = "pending"

    def look(self, elapsed_s: float, latest: float | None, *, emitted: bool) -> Turn | None:
        """What changed, or None. `emitted`: whether the entry has sent a sample yet. Elapsed time never goes back."""
        if self._wants_open(latest) == self.is_open:
            self._since_s = None
            return None
        if self._since_s is None:
            self._since_s = elapsed_s
        if elapsed_s < self._since_s + self._debounce_s:
            return None
        self._since_s = None
        turn = self._shut(emitted) if self.is_open else Turn("running")
        self.state = turn.state
        return turn

    @property
    def is_open(self) -> bool:
        return self.state == "running"

    @property
    def next_s(self) -> float | None:
        """When a debounce ends that is under way, or None."""
        return None if self._since_s is None else self._since_s + self._debounce_s

    @property
    def _debounce_s(self) -> float:
        return self._gate.close_s if self.is_open else self._gate.open_s

    def _wants_open(self, latest: float | None) -> bool:
        if latest is None:
            return False
        return latest < self._gate.value if self._gate.op == "<" else latest > self._gate.value

    def _shut(self, emitted: bool) -> Turn:
        if not emitted:
            return Turn("paused")
        if self._gate.snap_to is not None:
            return Turn("held", snap_to=self._gate.snap_to)
        return Turn("paused", stale_marker=self._gate.stale_marker)
