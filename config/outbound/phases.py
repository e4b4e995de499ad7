"""The parts of a call, in their order, and the time that each took."""

from dataclasses import astuple, dataclass, replace
from typing import Literal

Phase = Literal["dns", "connect", "tls", "first_byte", "download"]


@dataclass(frozen=True)
class Phases:
    """Milliseconds in each part of a call, over all redirects; 0 for a part that was not reached.

    `first_byte` begins with sending the request. The parts follow each other without a gap.
    """

    dns: float = 0.0
    connect: float = 0.0
    tls: float = 0.0
    first_byte: float = 0.0
    download: float = 0.0

    @property
    def total(self) -> float:
        return sum(astuple(self))

    def plus(self, phase: Phase, ms: float) -> "Phases":
        return replace(self, **{phase: getattr(self, phase) + ms})

    def since(self, earlier: "Phases") -> "Phases":
        """What was added since an earlier state."""
        return Phases(*(now - then for now, then in zip(astuple(self), astuple(earlier), strict=True)))
