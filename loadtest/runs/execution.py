"""Make one load test: claim it, run its source, keep its series, end its row (contract: load testing §10-14)."""

import logging
import time
from typing import Any

from django.db import Error, connection, transaction
from django.db.models import Sum
from django.utils import timezone

from config.outbound import BadUrl, Refused
from config.stopping import stopping
from loadtest.engine.plan import PlanError, RunSpec
from loadtest.engine.supervisor import EngineFault
from loadtest.runs import dispatch, reporting, state, validation
from loadtest.runs.keeper import Keeper, Why
from loadtest.runs.models import Run, Status
from loadtest.runs.planning import Plan
from loadtest.runs.recorder import Recorder
from loadtest.runs.shards import Shards
from loadtest.runs.slots import coordinators, slots
from loadtest.runs.sources import Local, Source
from loadtest.runs.targets import resolved
from loadtest.workspace import configuration
from security.vault.crypto import Unreadable

log = logging.getLogger(__name__)
ENDS_WITHIN_S = 15.0  # how long a database may be away when a run ends
INTERNAL = "The run failed on our side; the server's log has it."
STOPPING = "The worker was stopped during this run. What was measured until then is kept."
UNREADABLE = "The run cannot be read with the keys of this installation."
UNTESTED = "The tests could not be run because of a fault on our side; the server's log has it."


def execute(run_id: str) -> None:
    """Make the run, if it still waits and this process has a place for it; then call for the next one."""
    parts = Run.objects.filter(pk=run_id).values_list("shard_count", flat=True).first() or 1
    with (coordinators if parts > 1 else slots).taken() as free:
        if not free or stopping.is_set():
            return  # the row stays pending and is sent again
        run = state.claim(run_id=run_id, now=timezone.now())
        if run is None or not fits(run):
            return
        state.announce(run.pk, Status.RUNNING)
        Runner(run).make()
    dispatch.send(dispatch.next_waiting())


def fits(run: Run) -> bool:
    """Whether its connections fit beside those of the other runs; if not, the run waits on (§3.2 maxConnections)."""
    most = configuration.value("maxConnections")
    others = Run.objects.filter(status=Status.RUNNING).exclude(pk=run.pk).aggregate(open=Sum("connections"))
    taken = others["open"] or 0
    if taken and taken + run.connections > most:
        why = f"Waits for connections: {taken} of at most {most} are taken by other runs, this one needs "
        state.give_back(run=run, why=f"{why}{run.connections}.")
        return False
    return True


class Runner:
    """One attempt at a run: the writer of its series and of its end."""

    def __init__(self, run: Run) -> None:
        self._run = run
        self._accepted_at = run.started_at.timestamp()
        self._source: Source | None = None
        self._settings = configuration.values()
        self._tick_s = self._settings["liveTickIntervalMs"] / 1000
        self._recorder = Recorder(run, tick_s=self._tick_s, snapshot_s=self._settings["statsInterval"] / 1000)

    def make(self) -> None:
        run = self._run
        try:
            plan = Plan.from_json(state.opened_plan(run))
            if plan.refusal:
                self._fail(plan.refusal)
                return
            with Keeper(run, longest_s=plan.longest_s, stop=self._stop) as keeper:
                self._load(plan, keeper)
        except (BadUrl, Refused, PlanError, EngineFault) as error:
            self._fail(str(error))
        except Unreadable:
            self._fail(UNREADABLE)
        except Exception:
            log.exception("load run %s failed", run.pk)
            self._fail(INTERNAL)

    def _stop(self) -> None:
        if self._source:
            self._source.stop()

    def _load(self, plan: Plan, keeper: Keeper) -> None:
        spec = resolved(plan.spec, plan.host, plan.port)
        with self._source_of(spec) as source:
            self._source = source
            source.start()
            keeper.began()
            while not keeper.why and not source.fault() and source.running:
                self._recorder.add(source.tick())
                self._keep_report(spec, source)
            fault = source.fault()
            source.stop()
            while source.running:
                self._recorder.add(source.tick())
            if keeper.why == Why.LOST:
                log.warning("load run %s: this worker lost its lease, so the run was given up", self._run.pk)
                return
            self._settle(plan, spec, source, keeper.why, fault)

    def _source_of(self, spec: RunSpec) -> Source:
        if self._run.shard_count > 1:
            return Shards(self._run, spec, tick_s=self._tick_s)
        return Local(spec, workers=self._settings["workers"], tick_s=self._tick_s)

    def _keep_report(self, spec: RunSpec, source: Source) -> None:
        if self._recorder.snapshot_due():
            began = time.monotonic()
            fields = self._fields(spec, source, final=False)
            self._recorder.snapshot(fields, cost_s=time.monotonic() - began)

    def _fields(self, spec: RunSpec, source: Source, *, final: bool) -> dict[str, Any]:
        figures = source.figures()
        report = reporting.made(spec, figures, source.samples, accepted_at=self._accepted_at, final=final)
        return {"report": report | source.sections(), "figures": figures.dump()}

    def _settle(self, plan: Plan, spec: RunSpec, source: Source, why: Why | None, fault: str) -> None:
        last, fields = source.tick(), self._fields(spec, source, final=True)
        status, message = verdict(why, fault, plan.longest_s)
        if status == Status.STOPPED:  # who stops a run does not wait for its tests
            self._end(status, [last], fields, message)
            Run.objects.filter(pk=self._run.pk).update(**self._tested(plan, source))
            return
        self._recorder.snapshot(fields)
        self._end(status, [last], fields | self._tested(plan, source), message)

    def _tested(self, plan: Plan, source: Source) -> dict[str, Any]:
        """What deferred tests found. A fault of ours in them takes nothing from the load that was measured."""
        try:
            return {"test_validation": validation.made(plan, source.samples)}
        except Exception:
            log.exception("load run %s: its tests could not be run", self._run.pk)
            return {"warnings": [*self._run.warnings, UNTESTED]}

    def _fail(self, message: str) -> None:
        self._end(Status.FAILED, [], {}, message)

    def _end(self, status: Status, ticks: list[dict[str, Any]], fields: dict[str, Any], message: str) -> None:
        """The last ticks, the report and the final state in one transaction; a database that is away is waited for."""
        deadline = time.monotonic() + ENDS_WITHIN_S
        for tick in ticks:
            self._recorder.hold(tick)
        while True:
            try:
                with transaction.atomic():
                    self._recorder.flush()
                    state.finish(run=self._run, status=status, now=timezone.now(), message=message, **fields)
                return
            except Error:
                log.warning("load run %s: its end could not be stored yet", self._run.pk, exc_info=True)
                connection.close()
                if time.monotonic() > deadline:
                    return  # its lease ends, and the dispatcher settles it
                time.sleep(0.5)


def verdict(why: Why | None, fault: str, longest_s: float) -> tuple[Status, str]:
    """The final state, and what there is to say about it."""
    if why == Why.REQUESTED:
        return Status.STOPPED, ""
    if why == Why.STOPPING:
        return Status.FAILED, STOPPING
    if why == Why.TOO_LONG:
        return Status.STOPPED, f"Stopped after {longest_s:g} s, the longest that a load test may last for this role."
    return (Status.FAILED, fault) if fault else (Status.COMPLETED, "")
