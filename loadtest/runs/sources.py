"""Where a run's figures come from: load processes of this worker, or the parts that other workers make."""

from typing import Any, Protocol

from loadtest.engine.figures import Figures
from loadtest.engine.plan import RunSpec
from loadtest.engine.samples import Samples
from loadtest.engine.supervisor import Run as EngineRun


class Source(Protocol):
    """`start`, then `tick` (each waits for its time) while `running`, then one more `tick` with the settled totals."""

    @property
    def running(self) -> bool: ...

    @property
    def samples(self) -> Samples: ...

    def start(self) -> None: ...

    def tick(self) -> dict[str, Any]: ...

    def stop(self) -> None:
        """From any thread: no request from now on; `running` is soon false."""

    def figures(self) -> Figures: ...

    def fault(self) -> str:
        """Why the figures are incomplete; empty while they are whole."""

    def sections(self) -> dict[str, Any]:
        """What the report says besides."""

    def __enter__(self) -> Any: ...

    def __exit__(self, *_: object) -> None: ...


class Local(EngineRun):
    """Load processes of this machine, one for each processor as far as they are useful."""

    def __init__(self, spec: RunSpec, *, workers: int, tick_s: float, part: int = 0, parts: int = 1) -> None:
        super().__init__(spec, workers=workers, tick_s=tick_s, part=part, parts=parts)
        self._begun = self._ending = False

    def __enter__(self) -> "Local":
        return self

    def start(self, *, at: float = 0.0) -> None:
        super().start(at=at)
        self._begun = True

    def stop(self) -> None:
        """Before the start it does nothing: who starts looks afterwards whether the run is to go on."""
        self._ending = True
        if self._begun:
            super().stop()

    def fault(self) -> str:
        lost = self.lost
        if not lost or self._ending:
            return ""
        return f"{len(lost)} of {self.workers} load processes ended before their part was done."

    def sections(self) -> dict[str, Any]:
        return {}
