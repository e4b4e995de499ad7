"""One part of a run that is spread over several workers: what the worker does that has taken it."""

import logging
import os
import time
from datetime import datetime, timedelta
from uuid import uuid4

from django.db import Error, connection
from django.utils import timezone

from config.outbound import OutboundError
from config.stopping import stopping
from loadtest.engine.plan import PlanError, RunSpec
from loadtest.engine.supervisor import EngineFault
from loadtest.runs import state
from loadtest.runs.models import Run, RunShard, ShardStatus, Status
from loadtest.runs.planning import Plan
from loadtest.runs.slots import slots
from loadtest.runs.sources import Local
from loadtest.runs.targets import resolved
from loadtest.workspace import configuration

log = logging.getLogger(__name__)
LEASE = timedelta(seconds=6)
TELL_S = 0.2
BEGINS_WITHIN_S = 60.0
MAX_RESPONSE_BYTES = 8 << 20  # of sampled responses that travel through the database
ALIVE = (ShardStatus.READY, ShardStatus.RUNNING)


def execute(run_id: str, index: int) -> None:
    """Make one part, if it still waits and this process has a place for it."""
    with slots.taken() as free:
        if not free or stopping.is_set():
            return
        shard = claim(run_id, index, now=timezone.now())
        if shard is not None:
            Part(shard).make()


def claim(run_id: str, index: int, *, now: datetime) -> RunShard | None:
    """WAITING → READY for this process, while the run goes on; None when somebody else has the part."""
    attempt = uuid4()
    waiting = RunShard.objects.filter(run_id=run_id, index=index, status=ShardStatus.WAITING, stop_requested=False)
    fields = {"status": ShardStatus.READY, "attempt": attempt, "lease_until": now + LEASE, "host": os.uname().nodename}
    if not waiting.filter(run__status=Status.RUNNING, run__lease_until__gt=now).update(**fields):
        return None
    return RunShard.objects.select_related("run").get(run_id=run_id, index=index, attempt=attempt)


class Part:
    """One attempt at a part: it tells the row what it has counted, and looks there whether it is to end."""

    def __init__(self, shard: RunShard) -> None:
        self._shard, self._run = shard, shard.run
        self._told_at = time.monotonic()

    def make(self) -> None:
        try:
            plan = Plan.from_json(state.opened_plan(self._run))
            spec = resolved(plan.spec, plan.host, plan.port)
            begins_at = self._await_begin()
            if begins_at is not None:
                self._load(spec, begins_at)
        except (OutboundError, PlanError, EngineFault) as error:
            self._tell(ShardStatus.LOST, message=str(error))
        except Exception:
            log.exception("part %s of load run %s failed", self._shard.index, self._run.pk)
            self._tell(ShardStatus.LOST, message="This part failed on our side; the server's log has it.")

    def _await_begin(self) -> datetime | None:
        """When all parts begin; None when this one is not to begin at all."""
        deadline = time.monotonic() + BEGINS_WITHIN_S
        while time.monotonic() < deadline and self._goes_on() and self._tell(ShardStatus.READY):
            row = Run.objects.filter(pk=self._run.pk, status=Status.RUNNING).values_list("begins_at").first()
            if row is None:
                break
            if row[0]:
                return row[0]
            time.sleep(0.05)
        self._tell(ShardStatus.FINISHED)
        return None

    def _load(self, spec: RunSpec, begins_at: datetime) -> None:
        workers = configuration.value("workers")
        index, of = self._shard.index, self._run.shard_count
        with Local(spec, workers=workers, tick_s=TELL_S, part=index, parts=of) as engine:
            engine.samples.kinds["response"].max_bytes = MAX_RESPONSE_BYTES
            engine.start(at=begins_at.timestamp())
            while engine.running and not engine.fault():
                engine.tick()
                if not self._tell(ShardStatus.RUNNING, figures=engine.figures().dump()) or not self._goes_on():
                    engine.stop()
            fault = engine.fault()
            engine.stop()
            engine.tick()
            status = ShardStatus.LOST if fault else ShardStatus.FINISHED
            self._tell(status, figures=engine.figures().dump(), samples=engine.samples.dump(), message=fault)

    def _goes_on(self) -> bool:
        if stopping.is_set():
            return False
        now = timezone.now()
        mine = RunShard.objects.filter(pk=self._shard.pk, attempt=self._shard.attempt, stop_requested=False)
        try:
            return mine.filter(run__status=Status.RUNNING, run__lease_until__gt=now).exists()
        except Error:
            return self._unheard()

    def _tell(self, status: ShardStatus, **fields: object) -> bool:
        """Write the row and extend the lease; False when this attempt no longer owns the part."""
        mine = RunShard.objects.filter(pk=self._shard.pk, attempt=self._shard.attempt, status__in=ALIVE)
        try:
            kept = bool(mine.update(status=status, lease_until=timezone.now() + LEASE, **fields))
        except Error:
            return self._unheard()
        self._told_at = time.monotonic()
        return kept

    def _unheard(self) -> bool:
        """The database does not answer: go on for as long as the lease holds."""
        log.warning("part %s of load run %s: the database does not answer", self._shard.index, self._run.pk)
        connection.close()
        return time.monotonic() - self._told_at < LEASE.total_seconds()
