"""A run spread over several workers, seen from its coordinator: their figures added up into one series."""

import logging
import threading
import time
from datetime import timedelta
from functools import cached_property
from typing import Any

from django.utils import timezone

from loadtest.engine.figures import Figures
from loadtest.engine.plan import RunSpec
from loadtest.engine.samples import Samples
from loadtest.engine.series import Series
from loadtest.engine.stats import Cell
from loadtest.engine.supervisor import EngineFault
from loadtest.runs import dispatch
from loadtest.runs.models import Run, RunShard, ShardStatus
from loadtest.runs.parts import ALIVE

log = logging.getLogger(__name__)
READY_WITHIN_S = 30.0
RESEND_S = 3.0
LEAD_S = 2.0  # from the decision to begin until the first request: processes start meanwhile
STOPS_WITHIN_S = 3.0
OPEN = (ShardStatus.WAITING, *ALIVE)
UNTAKEN = "No load worker took this part in time."
SILENT = "The worker of this part fell silent; what it counted until then is included."


class Shards:
    """The source of a run whose parts other workers make. A part that is lost is told, never hidden."""

    def __init__(self, run: Run, spec: RunSpec, *, tick_s: float) -> None:
        self._run, self._tick_s = run, tick_s
        self._series = Series(spec.outline)
        self._stopped = threading.Event()
        self._stop_by = 0.0
        self._next_at = 0.0
        self._rows: list[RunShard] = []

    def __enter__(self) -> "Shards":
        return self

    def __exit__(self, *_: object) -> None:
        """Whatever happened, no part goes on alone."""
        self._parts().filter(status__in=OPEN).update(stop_requested=True)

    def _parts(self) -> Any:
        return RunShard.objects.filter(run_id=self._run.pk)

    def start(self) -> None:
        """Call for workers, and let those begin that have come. Raises EngineFault when none has."""
        deadline, resend_at = time.monotonic() + READY_WITHIN_S, 0.0
        while not self._stopped.is_set() and time.monotonic() < deadline:
            waiting = list(self._parts().filter(status=ShardStatus.WAITING).values_list("index", flat=True))
            if not waiting:
                break
            if time.monotonic() >= resend_at:
                dispatch.send_parts(self._run.pk, waiting)
                resend_at = time.monotonic() + RESEND_S
            time.sleep(0.05)
        self._parts().filter(status=ShardStatus.WAITING).update(status=ShardStatus.LOST, message=UNTAKEN)
        if self._stopped.is_set():
            return
        if not self._parts().filter(status__in=ALIVE).exists():
            raise EngineFault("No load worker took any part of this run.")
        Run.objects.filter(pk=self._run.pk).update(begins_at=timezone.now() + timedelta(seconds=LEAD_S))
        self._next_at = time.monotonic() + LEAD_S

    @property
    def running(self) -> bool:
        """Whether a part goes on. One whose lease has ended is lost."""
        silent = self._parts().filter(status__in=ALIVE, lease_until__lt=timezone.now())
        silent.update(status=ShardStatus.LOST, message=SILENT)
        if self._stop_by and time.monotonic() > self._stop_by:
            self._parts().filter(status__in=OPEN).update(status=ShardStatus.LOST, message=SILENT)
        return self._parts().filter(status__in=ALIVE).exists()

    def tick(self) -> dict[str, Any]:
        """Wait for the next tick, or for the end of all parts."""
        while (left_s := self._next_at - time.monotonic()) > 0 and not (self._stopped.is_set() and not self.running):
            time.sleep(min(left_s, 0.05))
        self._next_at = max(self._next_at, time.monotonic() - self._tick_s) + self._tick_s
        return self._series.tick(self.figures())

    def stop(self) -> None:
        if not self._stopped.is_set():
            self._stop_by = time.monotonic() + STOPS_WITHIN_S
            self._parts().filter(status__in=OPEN).update(stop_requested=True)
            self._stopped.set()

    def figures(self) -> Figures:
        self._rows = list(self._parts().defer("samples").order_by("index"))
        merged = Figures.merge([Figures.load(row.figures) for row in self._rows if row.figures])
        merged.lost_parts = sum(row.status == ShardStatus.LOST for row in self._rows)
        return merged

    @property
    def samples(self) -> Samples:
        """Those of the parts that are over: they travel once."""
        return Samples() if self.running else self._samples

    @cached_property
    def _samples(self) -> Samples:
        kept = self._parts().filter(samples__isnull=False).order_by("index").values_list("samples", flat=True)
        return Samples.merge(list(kept))

    def fault(self) -> str:
        """Only when nothing is left: the other parts go on without a lost one."""
        lost = self._parts().filter(status=ShardStatus.LOST)
        return "All parts of this run were lost." if lost.count() == self._run.shard_count else ""

    def sections(self) -> dict[str, Any]:
        return {"shards": [_told(row) for row in self._rows]}


def _told(row: RunShard) -> dict[str, Any]:
    """One part in the report."""
    figures = Figures.load(row.figures) if row.figures else Figures()
    facts = {"index": row.index, "status": row.status, "host": row.host, "workers": figures.workers}
    counted = {"totalRequests": figures.completed, "requestsSent": figures[Cell.SENT]}
    return facts | counted | ({"message": row.message} if row.message else {})
