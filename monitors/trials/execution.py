"""Make one trial: claim it, let its tool measure, judge, and end the row, as a run is made."""

from typing import Any
from uuid import UUID

from django.utils import timezone

from config.stopping import stopping
from monitors.monitors.opening import opened
from monitors.runs.attempt import Attempt
from monitors.runs.execution import capacity
from monitors.runs.models import Status
from monitors.runs.output import Output
from monitors.runs.slots import Slots
from monitors.tools.base import Job
from monitors.trials import services
from monitors.trials.log import TrialLog
from monitors.trials.models import Trial

# Somebody waits before a screen: a trial has a place beside those of the runs, however full the schedule is.
places = Slots(lambda: 1)


def execute(key: UUID) -> None:
    """Make the trial, if it still waits and this process has a place for it."""
    place = places.take()
    if place is None:
        return  # the row stays queued and is sent again
    try:
        if stopping.is_set() or (trial := services.claim(key=key, now=timezone.now())) is None:
            return
        TrialAttempt(trial, slot=capacity() + place).make()
    finally:
        places.give(place)
    services.dispatch(Trial.objects.waiting().values_list("pk", flat=True)[:1])


class TrialAttempt(Attempt):
    """One attempt at a trial."""

    noun = "trial"

    def __init__(self, trial: Trial, *, slot: int) -> None:
        super().__init__()
        self._trial, self._slot, self.tool = trial, slot, trial.tool

    def __str__(self) -> str:
        return str(self._trial)

    def _prepare(self) -> tuple[Job, Output]:
        trial = self._trial
        found = opened(trial.parameters, monitor_id=trial.sealed_for)
        self._log = TrialLog(found.secrets)
        job = Job(
            run_id=str(trial.pk),
            timeout_s=trial.timeout_s,
            slot=self._slot,
            script=trial.script,
            script_name=trial.script_name,
            request=trial.request or {},
            parameters=found.values,
            thresholds=trial.thresholds,
        )
        return job, self._log

    def _renew(self) -> bool:
        return services.renew(trial=self._trial, now=timezone.now())

    def _wish(self) -> str | None:
        mine = Trial.objects.filter(pk=self._trial.pk, attempt=self._trial.attempt, status=Status.RUNNING)
        row = mine.values_list("cancel_requested_at").first()
        return "lost" if row is None else "cancelled" if row[0] else None

    def _store(self, *, last: bool) -> None:
        if self._log.take(last=last):
            services.keep_log(trial=self._trial, text=self._log.text)

    def _finish(self, status: Status, *, screenshot: bytes | None = None, **result: Any) -> None:
        services.finish(trial=self._trial, status=status, now=timezone.now(), **result)
