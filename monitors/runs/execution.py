"""Make one run: claim it, let its tool measure, judge, and end the row (contract: monitors §5, §8)."""

import os
import time
from typing import Any
from uuid import UUID

from django.conf import settings
from django.utils import timezone

from config import live
from config.stopping import stopping
from monitors.monitors.opening import opened
from monitors.runs import services
from monitors.runs.attempt import Attempt
from monitors.runs.logs import LogWriter
from monitors.runs.models import Run, Status
from monitors.runs.output import Output
from monitors.runs.slots import Slots
from monitors.tools.base import Job

LONGEST_S = 30.0  # that one task goes on taking runs


def capacity() -> int:
    """Runs that one worker process makes at once: as set, else its cores, but not all of its threads."""
    return settings.MONITOR_MAX_CONCURRENT or max(1, min(os.cpu_count() or 1, settings.WORKER_THREADS // 2))


slots = Slots(capacity)


def execute(run_id: UUID) -> None:
    """Make the run, if it still waits and this process has a place for it, then others that wait.

    Messages only wake: who has a place takes what waits longest, so a minute with thousands of runs needs few messages.
    """
    slot = slots.take()
    if slot is None:
        return  # whoever has one takes the run; else it is sent again
    ends = time.monotonic() + LONGEST_S
    try:
        run = None if stopping.is_set() else services.claim(run_id=run_id, now=timezone.now())
        run = run or _next(ends)
        while run:
            Runner(run, slot).make()
            run = _next(ends)
    finally:
        slots.give(slot)
    services.dispatch_to_worker(Run.objects.takeable().values_list("pk", flat=True)[:1])


def _next(ends: float) -> Run | None:
    """The next run for this place; None when none waits, the process stops, or the task has lasted long enough."""
    if stopping.is_set() or time.monotonic() > ends:
        return None
    return services.claim_next(now=timezone.now())


class Runner(Attempt):
    """One attempt at a run."""

    noun = "run"

    def __init__(self, run: Run, slot: int) -> None:
        super().__init__()
        self._run, self._slot, self.tool = run, slot, run.tool

    def __str__(self) -> str:
        return str(self._run)

    def _prepare(self) -> tuple[Job, Output]:
        run, spec = self._run, self._run.spec
        found = opened(spec["parameters"], monitor_id=run.monitor_id)
        self._log = LogWriter(run.pk, found.secrets)
        job = Job(
            run_id=str(run.pk),
            timeout_s=run.timeout_s,
            slot=self._slot,
            script=run.script.body if run.script else "",
            script_name=run.script.name if run.script else "",
            request=spec["request"] or {},
            parameters=found.values,
            thresholds=spec["thresholds"],
        )
        return job, self._log

    def _renew(self) -> bool:
        return services.renew(run=self._run, now=timezone.now())

    def _wish(self) -> str | None:
        mine = Run.objects.filter(pk=self._run.pk, attempt=self._run.attempt, status=Status.RUNNING)
        row = mine.values_list("cancel_requested_at").first()
        return "lost" if row is None else "cancelled" if row[0] else None

    def _store(self, *, last: bool) -> None:
        if self._log.flush(last=last):
            live.publish(f"run:{self._run.pk}", {"kind": "log", "runId": str(self._run.pk)})

    def _finish(self, status: Status, **result: Any) -> None:
        services.finish(run=self._run, status=status, now=timezone.now(), **result)
