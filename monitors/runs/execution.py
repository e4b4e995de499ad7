"""Make one run: claim it, let its tool measure, judge, and end the row (contract: monitors §5, §8)."""

import logging
import os
import threading
import time
from typing import Any
from uuid import UUID

from django.conf import settings
from django.db import DatabaseError
from django.utils import timezone

from config import live
from config.stopping import stopping
from monitors.monitors import parameters
from monitors.runs import judge, services
from monitors.runs.logs import LogWriter
from monitors.runs.models import Run, Status
from monitors.tools.base import Job, Outcome, Stopped
from monitors.tools.registry import TOOLS

log = logging.getLogger(__name__)
LOOK_S, FLUSH_S, RENEW_S = 0.5, 0.8, 5.0


def capacity() -> int:
    """Runs that one worker process makes at once: as set, else its cores, but not all of its threads."""
    return settings.MONITOR_MAX_CONCURRENT or max(1, min(os.cpu_count() or 1, settings.WORKER_THREADS // 2))


class Slots:
    """The places for runs in this process. A number is a place, so that runs beside each other can differ."""

    def __init__(self) -> None:
        self._lock, self._taken = threading.Lock(), set[int]()

    def take(self) -> int | None:
        with self._lock:
            free = next((number for number in range(capacity()) if number not in self._taken), None)
            if free is not None:
                self._taken.add(free)
            return free

    def give(self, number: int) -> None:
        with self._lock:
            self._taken.discard(number)


slots = Slots()


def execute(run_id: UUID) -> None:
    """Make the run, if it still waits and this process has a place for it; then call for the next one."""
    slot = slots.take()
    if slot is None:
        return  # the row stays queued and is sent again
    try:
        if stopping.is_set() or (run := services.claim(run_id=run_id, now=timezone.now())) is None:
            return
        Runner(run, slot).make()
    finally:
        slots.give(slot)
    waiting = Run.objects.filter(status=Status.QUEUED, waiting=False).order_by("ready_at", "pk")
    services.dispatch_to_worker(waiting.values_list("pk", flat=True)[:1])


class Runner:
    """One attempt at a run: the `Control` of its tool, the keeper of its lease, the writer of its end."""

    def __init__(self, run: Run, slot: int) -> None:
        self._run, self._slot = run, slot
        self._looked_at = self._flushed_at = self._renewed_at = time.monotonic()
        self._log: LogWriter | None = None

    def make(self) -> None:
        try:
            job = self._job()
            outcome = self._measure(job)
            status, breaches = verdict(outcome, job.thresholds)
            self._end(status, outcome, breaches)
        except Stopped as stop:
            self._stopped(str(stop))
        except Exception:
            log.exception("run %s failed", self._run.pk)
            self._end(
                Status.ERROR, Outcome(error=("internal", "The run failed on our side; the server's log has it.")), []
            )

    def _job(self) -> Job:
        run, spec = self._run, self._run.spec
        values = parameters.opened(spec["parameters"], monitor_id=run.monitor_id)
        self._log = LogWriter(run.pk, parameters.secrets_in(values))
        return Job(
            run_id=str(run.pk),
            timeout_s=run.timeout_s,
            slot=self._slot,
            script=run.script.body if run.script else "",
            script_name=run.script.name if run.script else "",
            request=spec["request"] or {},
            parameters=values,
            thresholds=spec["thresholds"],
        )

    def _measure(self, job: Job) -> Outcome:
        tool = TOOLS.get(self._run.tool)
        if tool is None:
            return Outcome(error=("tool_unavailable", f"The tool {self._run.tool} is not available."))
        self.note(f"run {job.run_id} with {tool.name} {tool.version() or '(not installed)'}")
        return tool.measure(job, self)

    def _end(self, status: Status, outcome: Outcome, breaches: list[dict[str, Any]]) -> None:
        why = f": {outcome.error[1]}" if outcome.error else "".join(f"; {one['message']}" for one in breaches)
        self.note(f"{status}{why}")
        self._flush(last=True)
        services.finish(
            run=self._run,
            status=status,
            now=timezone.now(),
            metrics=judge.rounded(outcome.metrics) if outcome.metrics else None,
            breaches=breaches,
            error=self._without_secrets(outcome.error),
            exit_code=outcome.exit_code,
        )

    def _stopped(self, why: str) -> None:
        if why == "cancelled":
            self._end(Status.CANCELLED, Outcome(), [])
        elif why == "stopping":
            self._end(Status.ERROR, Outcome(error=("worker_lost", "The worker was stopped during this run.")), [])
        else:
            log.warning("run %s: this worker lost its lease, so the run was given up", self._run.pk)

    def _without_secrets(self, error: tuple[str, str] | None) -> tuple[str, str] | None:
        return (error[0], self._log.masked(error[1])) if error and self._log else error

    # --- what the tool calls -----------------------------------------------------------------------------------
    def log(self, data: bytes) -> None:
        if self._log:
            self._log.write(data)

    def note(self, text: str) -> None:
        if self._log:
            self._log.note(text)

    def poll(self) -> None:
        """Look at the row, renew the lease, store the log, each at its own pace. Raises Stopped."""
        if stopping.is_set():
            raise Stopped("stopping")
        now = time.monotonic()
        try:
            if now - self._looked_at >= LOOK_S:
                self._looked_at = now
                self._look()
            if now - self._renewed_at >= RENEW_S:
                if not services.renew(run=self._run, now=timezone.now()):
                    raise Stopped("lost")
                self._renewed_at = now
        except DatabaseError:
            log.warning("run %s: the database does not answer", self._run.pk, exc_info=True)
            if now - self._renewed_at > services.LEASE.total_seconds():
                raise Stopped("lost") from None
        if now - self._flushed_at >= FLUSH_S:
            self._flushed_at = now
            self._flush()

    def _look(self) -> None:
        mine = Run.objects.filter(pk=self._run.pk, attempt=self._run.attempt, status=Status.RUNNING)
        row = mine.values_list("cancel_requested_at").first()
        if row is None:
            raise Stopped("lost")
        if row[0]:
            raise Stopped("cancelled")

    def _flush(self, *, last: bool = False) -> None:
        try:
            if self._log and self._log.flush(last=last):
                live.publish(f"run:{self._run.pk}", {"kind": "log", "runId": str(self._run.pk)})
        except DatabaseError:  # e.g. the monitor was deleted meanwhile; a log never fails its run
            log.warning("run %s: a part of its log could not be stored", self._run.pk, exc_info=True)


def verdict(outcome: Outcome, thresholds: dict[str, float]) -> tuple[Status, list[dict[str, Any]]]:
    """The final state for what a tool found, and the limits that were broken."""
    if outcome.timed_out:
        return Status.TIMEOUT, []
    if outcome.error:
        return Status.ERROR, []
    found = judge.breaches(judge.rounded(outcome.metrics or {}), thresholds) + outcome.breaches
    return (Status.FAIL if found else Status.PASS), found
