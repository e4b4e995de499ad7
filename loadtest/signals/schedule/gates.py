"""The gate of `while`: open and shut by the upstream's latest value, debounced (contract: signals §8.7). Pure."""

from typing import Literal

import msgspec

from loadtest.signals.scenario.entry import Gate

State = Literal["pending", "running", "paused", "held"]


class Turn(msgspec.Struct, frozen=True):
    """The gate opened or shut: the new state, and what to send once when it shut after samples were sent."""

    state: State
    snap_to: float | None = None
    stale_marker: bool = False


class GateKeeper:
    """Feed it at each look with the upstream's latest value; until the first opening its state is `pending`."""

    state: State

    def __init__(self, gate: Gate) -> None: ...

    def look(self, elapsed_s: float, latest: float | None, *, emitted: bool) -> Turn | None:
        """What changed, or None. `emitted`: whether the entry has sent a sample yet. Elapsed time never goes back."""
        raise NotImplementedError

    @property
    def next_s(self) -> float | None:
        """When a debounce ends that is under way, or None."""
        raise NotImplementedError
