"""Writes a run's live series: ticks as rows in small batches, and now and then the report as it stands."""

import json
import logging
import time
from collections import deque
from datetime import UTC, datetime
from functools import partial
from typing import Any

from django.db import Error, connection, transaction
from django.utils import timezone

from config import live
from loadtest.runs import state
from loadtest.runs.models import Run, RunTick

log = logging.getLogger(__name__)
BATCH_S = 0.1
SNAPSHOT_S = 1.0
MOST_HELD = 50_000  # ticks, while the database does not answer
LIVE_TICKS = 50_000  # the newest, which live readers can still get; older ones are thinned
THIN_EVERY = 1_000


class Recorder:
    """One run's writer. Ticks are numbered from 0 without a gap; what a failed write left is written with the next."""

    def __init__(self, run: Run, *, tick_s: float, snapshot_s: float = SNAPSHOT_S) -> None:
        self._run, self._snapshot_s = run, max(SNAPSHOT_S, snapshot_s)
        self._per_second = max(1, round(1 / tick_s))
        self._next = 0
        self._held: deque[RunTick] = deque(maxlen=MOST_HELD)
        self._flushed_at = self._snapshot_at = time.monotonic()

    def add(self, tick: dict[str, Any]) -> None:
        """One more tick; written at once or with those that follow within 100 ms."""
        self.hold(tick)
        if time.monotonic() - self._flushed_at >= BATCH_S - 0.01 or self._next == 1:
            self._flush_if_possible()

    def hold(self, tick: dict[str, Any]) -> None:
        """One more tick, for the caller to flush."""
        data = json.dumps({"runId": self._run.pk, **tick}, separators=(",", ":"))
        at = datetime.fromtimestamp(tick["timestamp"] / 1000, UTC)
        self._held.append(RunTick(run_id=self._run.pk, n=self._next, at=at, data=data))
        self._next += 1

    def _flush_if_possible(self) -> None:
        try:
            with transaction.atomic():
                self.flush()
        except Error:
            log.warning("load run %s: ticks could not be stored yet", self._run.pk, exc_info=True)
            connection.close()

    def flush(self) -> None:
        """Write what is held, within the caller's transaction; readers hear of it after the commit."""
        self._flushed_at = time.monotonic()
        rows = list(self._held)
        if not rows:
            return
        RunTick.objects.bulk_create(rows, batch_size=500)
        if rows[-1].n > LIVE_TICKS and rows[-1].n // THIN_EVERY != (rows[0].n - 1) // THIN_EVERY:
            self._thin(rows[-1].n)
        event = {"kind": "ticks", "from": rows[0].n, "ticks": [row.data for row in rows]}
        transaction.on_commit(partial(self._written, len(rows), event))

    def _written(self, count: int, event: dict[str, Any]) -> None:
        for _ in range(count):
            self._held.popleft()
        live.publish(state.topic(self._run.pk), event)

    def _thin(self, newest: int) -> None:
        """Of ticks too old for live readers keep one a second, for the series of the whole run."""
        old = RunTick.objects.filter(run_id=self._run.pk, n__lte=newest - LIVE_TICKS)
        old = old.filter(n__gt=newest - LIVE_TICKS - 2 * THIN_EVERY)
        surplus = [n for n in old.values_list("n", flat=True) if n % self._per_second]
        RunTick.objects.filter(run_id=self._run.pk, n__in=surplus).delete()

    def snapshot_due(self) -> bool:
        """Whether the report is to be stored now. Long ones come seldom, so that they cost a twentieth at most."""
        return time.monotonic() - self._snapshot_at >= self._snapshot_s

    def snapshot(self, fields: dict[str, Any], *, cost_s: float = 0.0) -> None:
        """Store the report as it stands; `cost_s` is what it took to make."""
        try:
            state.renew(run=self._run, now=timezone.now(), **fields)
        except Error:
            log.warning("load run %s: its report could not be stored yet", self._run.pk, exc_info=True)
            connection.close()
        self._snapshot_at = time.monotonic()
        self._snapshot_s = max(self._snapshot_s, 20 * cost_s)
