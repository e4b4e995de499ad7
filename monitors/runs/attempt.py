"""One attempt at measuring: the tool on one side, the row that may be cancelled or lost on the other."""

import logging
import time
from abc import ABC, abstractmethod
from typing import Any

from django.db import DatabaseError

from config.stopping import stopping
from monitors.runs import judge
from monitors.runs.models import Status
from monitors.runs.output import Output
from monitors.runs.services import LEASE
from monitors.runs.verdict import verdict
from monitors.tools.base import Job, Outcome, Stopped
from monitors.tools.registry import TOOLS, refusal
from security.vault.references import Unusable

log = logging.getLogger(__name__)
LOOK_S, FLUSH_S, RENEW_S = 0.5, 0.8, 5.0
UNUSABLE = "secret_unavailable"


class Attempt(ABC):
    """The `Control` of a tool, the keeper of the row's lease, the writer of its end. A subclass knows the row."""

    noun: str
    tool: str

    def __init__(self) -> None:
        self._looked_at = self._flushed_at = self._renewed_at = time.monotonic()
        self._output: Output | None = None

    def make(self) -> None:
        """Measure, judge and end. Never raises: what goes wrong is the end of the row."""
        try:
            job, self._output = self._prepare()
            outcome = self._measure(job)
            status, breaches = verdict(outcome, job.thresholds)
            self._end(status, outcome, breaches)
        except Stopped as stop:
            self._stopped(str(stop))
        except Unusable as fault:
            self._end(Status.ERROR, Outcome(error=(UNUSABLE, fault.message)), [])
        except Exception:
            log.exception("%s failed", self)
            sentence = f"The {self.noun} failed on our side; the server's log has it."
            self._end(Status.ERROR, Outcome(error=("internal", sentence)), [])

    # --- what a subclass knows ---------------------------------------------------------------------------------
    @abstractmethod
    def _prepare(self) -> tuple[Job, Output]:
        """What to measure, and where its output goes."""

    @abstractmethod
    def _renew(self) -> bool:
        """Extend the lease; False when it was lost."""

    @abstractmethod
    def _wish(self) -> str | None:
        """Why to stop: "cancelled" or "lost"; None to go on."""

    @abstractmethod
    def _store(self, *, last: bool) -> None:
        """Store what the output holds."""

    @abstractmethod
    def _finish(self, status: Status, **result: Any) -> None:
        """To the final state, with `metrics`, `breaches`, `error`, `exit_code` and `screenshot`."""

    # --- what the tool calls -----------------------------------------------------------------------------------
    def log(self, data: bytes) -> None:
        if self._output:
            self._output.write(data)

    def note(self, text: str) -> None:
        if self._output:
            self._output.note(text)

    def poll(self) -> None:
        """Look at the row, renew the lease, store the log, each at its own pace. Raises Stopped."""
        if stopping.is_set():
            raise Stopped("stopping")
        now = time.monotonic()
        try:
            if now - self._looked_at >= LOOK_S:
                self._looked_at = now
                if why := self._wish():
                    raise Stopped(why)
            if now - self._renewed_at >= RENEW_S:
                if not self._renew():
                    raise Stopped("lost")
                self._renewed_at = now
        except DatabaseError:
            log.warning("%s: the database does not answer", self, exc_info=True)
            if now - self._renewed_at > LEASE.total_seconds():
                raise Stopped("lost") from None
        if now - self._flushed_at >= FLUSH_S:
            self._flushed_at = now
            self._flush()

    # --- inside ------------------------------------------------------------------------------------------------
    def _measure(self, job: Job) -> Outcome:
        if why := refusal(self.tool):
            return Outcome(error=("tool_unavailable", why))
        tool = TOOLS[self.tool]
        self.note(f"{self.noun} {job.run_id} with {tool.name} {tool.version() or ''}".rstrip())
        return tool.measure(job, self)

    def _end(self, status: Status, outcome: Outcome, breaches: list[dict[str, Any]]) -> None:
        why = f": {outcome.error[1]}" if outcome.error else "".join(f"; {one['message']}" for one in breaches)
        self.note(f"{status}{why}")
        self._flush(last=True)
        self._finish(
            status,
            metrics=judge.rounded(outcome.metrics) if outcome.metrics else None,
            breaches=[one | {"message": self._masked(one["message"])} for one in breaches],
            error=self._without_secrets(outcome.error),
            exit_code=outcome.exit_code,
            screenshot=outcome.screenshot,
        )

    def _stopped(self, why: str) -> None:
        if why == "cancelled":
            self._end(Status.CANCELLED, Outcome(), [])
        elif why == "stopping":
            error = ("worker_lost", f"The worker was stopped during this {self.noun}.")
            self._end(Status.ERROR, Outcome(error=error), [])
        else:
            log.warning("%s: this worker lost its lease, so it was given up", self)

    def _without_secrets(self, error: tuple[str, str] | None) -> tuple[str, str] | None:
        return (error[0], self._masked(error[1])) if error else None

    def _masked(self, text: str) -> str:
        return self._output.masked(text) if self._output else text

    def _flush(self, *, last: bool = False) -> None:
        try:
            if self._output:
                self._store(last=last)
        except DatabaseError:  # e.g. the monitor was deleted meanwhile; a log never fails its run
            log.warning("%s: a part of its log could not be stored", self, exc_info=True)
