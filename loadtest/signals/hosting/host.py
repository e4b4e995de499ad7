"""A worker that looks after one runner: gives it scenarios, stores what it tells, ends what is to end.

The runner is a child process, so that neither its load nor its death touches the worker. Rows are the truth: who wants
something of a scenario writes it there, and the host looks four times a second (contract: signals §11).
"""

import logging
import queue
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime
from uuid import uuid4

import msgspec
from django.db import Error, connection
from django.utils import timezone

from config.stopping import stopping
from loadtest.signals.feeding.machines import at_rest
from loadtest.signals.feeding.storing import Store, Target
from loadtest.signals.hosting.child import Child
from loadtest.signals.hosting.recording import Recorder
from loadtest.signals.runner.hosted import FINISHED
from loadtest.signals.runner.wire import Delivered, Figures, Launch, Parcel, Start, Stop, Told
from loadtest.signals.running import sealing, state
from loadtest.signals.running.models import Scenario
from loadtest.signals.scenario.entry import Entry
from security.vault.crypto import Unreadable

log = logging.getLogger(__name__)
LOOK_S, RENEW_S, IDLE_S = 0.25, 3.0, 60.0
STOPS_WITHIN_S = 4.0
UNREADABLE = "The scenario cannot be read with the keys, or by the version, of this installation."
_place = threading.Lock()


@contextmanager
def place() -> Iterator[bool]:
    """The one place for a runner in this process; False when it is taken."""
    free = _place.acquire(blocking=False)
    try:
        yield free
    finally:
        if free:
            _place.release()


def host() -> None:
    """Run what waits for a runner, until there has been nothing for a minute. Returns at once when nothing waits."""
    with place() as free:
        while free and not stopping.is_set() and Scenario.objects.unclaimed().exists():
            Host().run()


class Host:
    """One runner and its rows."""

    def __init__(self) -> None:
        self.runner = str(uuid4())
        self._recorder, self._store = Recorder(self.runner), Store()
        self._targets: dict[str, Target] = {}
        self._hosted: set[str] = set()
        self._asked: set[str] = set()  # to stop
        self._look_at = self._renew_at = 0.0
        self._busy_at = time.monotonic()

    def run(self) -> None:
        """Until idle, or this process stops, or the runner dies: what it had then waits for another one."""
        try:
            with Child() as child:
                while child.alive and not self._is_idle() and not stopping.is_set():
                    self.turn(child)
                if stopping.is_set():
                    self._wind_up(child)
        except Exception:
            log.exception("the host of a signals runner failed")
            time.sleep(1)
        finally:
            self._release()

    def _is_idle(self) -> bool:
        if self._hosted:
            self._busy_at = time.monotonic()
        return time.monotonic() - self._busy_at > IDLE_S

    def turn(self, child: Child) -> None:
        """One look at rows and reports."""
        now = time.monotonic()
        try:
            if now >= self._look_at:
                self._look_at = now + LOOK_S
                self._look(child)
            if now >= self._renew_at:
                self._renew_at = now + RENEW_S
                state.renew(runner=self.runner, now=timezone.now())
            self._hear(child, timeout_s=LOOK_S / 5)
        except Error:
            log.warning("signals: the database does not answer", exc_info=True)
            connection.close()
            time.sleep(0.5)

    def _look(self, child: Child) -> None:
        """Who is to stop, who is gone, who is new."""
        rows = dict(state.mine(self.runner).values_list("pk", "stop_requested_at"))
        if gone := [one for one in self._hosted if one not in rows]:
            child.say(Stop(ids=gone, drop=True))
            for one in gone:
                self._forget(one)
        if stop := [one for one, asked in rows.items() if asked and one not in self._asked]:
            child.say(Stop(ids=stop))
            self._asked.update(stop)
        self._take(child)

    def _take(self, child: Child) -> None:
        rows = state.claim(runner=self.runner, now=timezone.now())
        launches = [launch for row in rows if (launch := self._launch(row))]
        if launches:
            self._recorder.adopt([one.id for one in launches if one.elapsed_s])
            child.say(Start(launches=launches))

    def _launch(self, row: Scenario) -> Launch | None:
        try:
            config = sealing.opened(row)
            Entry.from_config(config)
        except (Unreadable, msgspec.ValidationError):
            figures = row.figures | {"last_sink_error": UNREADABLE, "errors": 1}
            state.finish(Scenario.objects.filter(pk=row.pk), now=timezone.now(), figures=figures)
            return None
        if row.instance_id:
            self._targets[row.pk] = Target(
                row.pk, row.instance_id, is_virtual=row.own_instance, metric_type=config.get("metric_type") or ""
            )
        self._hosted.add(row.pk)
        elapsed_s = max(0.0, (timezone.now() - row.began_at).total_seconds()) if row.restarts else 0.0
        figures = msgspec.convert(row.figures | {"next_tick": 0, "current_rate": 0.0}, Figures, strict=False)
        return Launch(id=row.pk, batch=row.batch, place=row.place, config=config, figures=figures, elapsed_s=elapsed_s)

    def _hear(self, child: Child, *, timeout_s: float) -> None:
        try:
            told = child.told.get(timeout=timeout_s)
        except queue.Empty:
            pass
        else:
            if told is None:
                child.alive = False
                return
            self._record(child, told)
        while not self._store.answers.empty():
            scenario_id, fault = self._store.answers.get()
            child.say(Delivered(id=scenario_id, fault=fault))

    def _record(self, child: Child, told: Told) -> None:
        now = timezone.now()
        for report in told.reports:
            if report.parcel:
                self._deliver(child, report.id, report.parcel, now)
        over = self._recorder.store(told.reports, now=now)
        at_rest(over, now=now)
        for one in told.reports:
            if one.state == FINISHED:
                self._forget(one.id)

    def _deliver(self, child: Child, scenario_id: str, parcel: Parcel, now: datetime) -> None:
        if target := self._targets.get(scenario_id):
            self._store.put(target, parcel, now=now)
        else:
            child.say(Delivered(id=scenario_id, fault="the instance that it writes to is gone"))

    def _forget(self, scenario_id: str) -> None:
        self._hosted.discard(scenario_id)
        self._asked.discard(scenario_id)
        self._targets.pop(scenario_id, None)
        self._recorder.forget(scenario_id)

    def _wind_up(self, child: Child) -> None:
        """This process stops: sinks are flushed, and what runs goes on with the next runner."""
        until = time.monotonic() + STOPS_WITHIN_S
        mine = set(self._hosted)
        child.say(Stop(ids=list(mine)))
        while mine and child.alive and time.monotonic() < until:
            try:
                told = child.told.get(timeout=0.1)
            except queue.Empty:
                continue
            child.alive = told is not None
            mine -= {one.id for one in (told.reports if told else ()) if one.state == FINISHED}

    def _release(self) -> None:
        try:
            now, rows = timezone.now(), state.mine(self.runner)
            lost = list(rows.values_list("pk", flat=True))
            state.release(rows, now=now)
            at_rest(lost, now=now)
        except Error:
            log.warning("signals: rows of a runner that is gone wait for the end of their lease", exc_info=True)
        finally:
            connection.close()
