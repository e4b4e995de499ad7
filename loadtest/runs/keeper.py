"""Holds a run for its worker: renews the lease, and looks whether the run is to end."""

import logging
import math
import threading
import time
from collections.abc import Callable
from enum import StrEnum

from django.db import Error, connection
from django.utils import timezone

from config.stopping import stopping
from loadtest.runs import state
from loadtest.runs.models import Run, Status

log = logging.getLogger(__name__)
LOOK_S, RENEW_S = 0.1, 3.0


class Why(StrEnum):
    """Why a run ends before it is done."""

    REQUESTED = "requested"
    STOPPING = "stopping"  # this process ends
    LOST = "lost"  # the lease: somebody else decides about the run now
    TOO_LONG = "too long"


class Keeper:
    """A thread beside the one that makes the run, so that neither a slow tick nor long tests delay a stop.

    `why` is set, once, when the run is to end; `stop` is called then. A run may last `longest_s` from `began` on.
    Use as a context manager.
    """

    def __init__(self, run: Run, *, longest_s: float, stop: Callable[[], None]) -> None:
        self.why: Why | None = None
        self._run, self._stop, self._done = run, stop, threading.Event()
        self._longest_s, self._ends_at = longest_s, math.inf
        self._thread = threading.Thread(target=self._keep, name=f"keeper-{run.pk}", daemon=True)

    def __enter__(self) -> "Keeper":
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._done.set()
        self._thread.join()

    def began(self) -> None:
        """The first request is sent now."""
        self._ends_at = time.monotonic() + self._longest_s

    def _keep(self) -> None:
        renewed_at = time.monotonic()
        try:
            while not self._done.wait(LOOK_S):
                try:
                    why = self._look()
                    if time.monotonic() - renewed_at >= RENEW_S:
                        why = why or (None if state.renew(run=self._run, now=timezone.now()) else Why.LOST)
                        renewed_at = time.monotonic()
                except Error:
                    log.warning("load run %s: the database does not answer", self._run.pk, exc_info=True)
                    connection.close()
                    why = Why.LOST if time.monotonic() - renewed_at > state.LEASE.total_seconds() else None
                if why and not self.why:
                    self.why = why
                    self._stop()
        finally:
            connection.close()

    def _look(self) -> Why | None:
        if self.why == Why.LOST:
            return None
        if stopping.is_set():
            return Why.STOPPING
        mine = Run.objects.filter(pk=self._run.pk, attempt=self._run.attempt, status=Status.RUNNING)
        row = mine.values_list("stop_requested_at").first()
        if row is None:
            return Why.LOST
        if row[0]:
            return Why.REQUESTED
        return Why.TOO_LONG if time.monotonic() > self._ends_at else None
