"""What people do with runs: start, stop, delete, pin; and the record of a request sent by hand."""

import time
from collections.abc import Iterable
from datetime import timedelta
from functools import partial
from typing import Any

from django.db import transaction
from django.utils import timezone

from config import live
from config.api.authentication import Principal
from config.api.errors import NotFound, TooMany
from loadtest.runs import ceilings, dispatch, order, planning, reporting
from loadtest.runs.models import ACTIVE, FINAL, Kind, Run, RunShard, Status
from loadtest.runs.snapshots import snapshot
from loadtest.runs.state import create, finish, topic
from security.audit.services import record

SETTLES_WITHIN_S = 5.0
LOOK_S = 0.03
MOST_WAITING = 100  # runs that no worker has taken yet
NOT_ACTIVE = "Run was not active"
NOT_BEGUN = "Stopped before it began"


def start(*, body: dict[str, Any], actor: Principal | None, request: Any = None) -> Run:
    """Accept a load test (contract: load testing §10). The run waits for a worker; nothing is sent by this process.

    Raises Invalid for a bad body, Forbidden above the role's ceilings, TooMany when too many runs wait already.
    """
    now = timezone.now()
    wanted = order.read(body)
    ceilings.check(wanted, actor)
    planned = planning.make(body, wanted, actor)
    if Run.objects.filter(kind=Kind.LOAD, status=Status.PENDING).count() >= MOST_WAITING:
        raise TooMany(f"{MOST_WAITING} load tests are waiting for a worker already. Try again later.")
    with transaction.atomic():
        run = create(
            kind=Kind.LOAD,
            mode=wanted.mode,
            request_id=_link(body, "requestId"),
            environment_id=_link(body, "environmentId"),
            requested_by=actor.name if actor else "",
            config=snapshot(body, planned.secrets),
            plan=planned.plan.to_json(),
            connections=planned.connections,
            shard_count=planned.shards,
            warnings=planned.warnings,
            report=reporting.empty(planned.plan.spec),
            started_at=now,
        )
        if planned.shards > 1:
            RunShard.objects.bulk_create(RunShard(run=run, index=index) for index in range(planned.shards))
        facts = {"url": run.config["url"], "mode": run.mode}
        record(actor=actor, action="EXECUTE", resource="load_run", resource_id=run.pk, request=request, after=facts)
        transaction.on_commit(partial(dispatch.send, [run.pk]))
    return run


def begin_design_run(
    *, body: dict[str, Any], actor: Principal | None, timeout_s: float, secrets: Iterable[str] = ()
) -> Run:
    """The row of a request that is about to be sent by hand. `secrets` must not show in the kept body.

    The row ends by itself, as failed, when nothing records its result within the time-out and a minute.
    """
    now = timezone.now()
    return create(
        kind=Kind.DESIGN,
        status=Status.RUNNING,
        request_id=_link(body, "requestId"),
        environment_id=_link(body, "environmentId"),
        requested_by=actor.name if actor else "",
        config=snapshot(body, secrets),
        started_at=now,
        lease_until=now + timedelta(seconds=timeout_s + 60),
    )


def record_design_run(*, run: Run, result: dict[str, Any], message: str = "") -> Run:
    """End the row of `begin_design_run` (contract: load testing §9.1, §13).

    `result` is `{timestamp, statusCode, statusText, latencyMs, error?, trace}` without secrets; status code 0, no HTTP
    response, means the run failed, and `message` says why.
    """
    status = Status.COMPLETED if result.get("statusCode") else Status.FAILED
    finish(run=run, status=status, now=timezone.now(), message=message, result=result)
    return run


def _link(body: dict[str, Any], name: str) -> str | None:
    value = body.get(name)
    return value[:128] if isinstance(value, str) and value else None


def stop(*, run: Run, actor: Principal | None, request: Any = None) -> tuple[Run, bool]:
    """Stop a run and wait, at most five seconds, until it has settled (contract: load testing §13).

    The second value is False when the run was over before. A run that waits for a worker ends at once, so does one
    whose worker is lost, with the message `NOT_ACTIVE`; one whose worker takes longer is returned as it is then.
    """
    if run.is_over:
        return run, False
    now = timezone.now()
    idle: dict[str, Any]
    if run.status == Status.PENDING:
        idle, why = {"status": Status.PENDING}, NOT_BEGUN
    else:
        idle, why = {"lease_until__lt": now}, NOT_ACTIVE
    with transaction.atomic():
        Run.objects.filter(pk=run.pk, status__in=ACTIVE, stop_requested_at=None).update(stop_requested_at=now)
        finish(run=run, status=Status.STOPPED, now=now, message=why, only=idle)
        record(actor=actor, action="STOP", resource="load_run", resource_id=run.pk, request=request)
        transaction.on_commit(partial(live.publish, topic(run.pk), {"kind": "stop"}))
    return _await_end(run.pk), True


def _await_end(run_id: str) -> Run:
    """The run once it is over, or as it is when the time is up. Raises NotFound when it was deleted meanwhile."""
    deadline = time.monotonic() + SETTLES_WITHIN_S
    while True:
        status = Run.objects.filter(pk=run_id).values_list("status", flat=True).first()
        if status is None:
            raise NotFound("Run not found")
        if status in FINAL or time.monotonic() > deadline:
            return Run.objects.get(pk=run_id)
        time.sleep(LOOK_S)


def delete(*, run: Run, actor: Principal | None, request: Any = None) -> None:
    """Remove the run with all it stored. An active one is stopped first; its worker's last row goes with it.

    A worker that does not settle in time removes the run itself; until then nobody sees it.
    """
    if not run.is_over:
        stop(run=run, actor=actor, request=request)
    with transaction.atomic():
        if not Run.objects.filter(pk=run.pk, status__in=FINAL).delete()[0]:
            Run.objects.filter(pk=run.pk).update(doomed=True)
            Run.objects.filter(pk=run.pk, status__in=FINAL).delete()  # it may have ended between the two
        record(actor=actor, action="DELETE", resource="load_run", resource_id=run.pk, request=request)


def pin(*, run: Run, pinned: bool, actor: Principal | None, request: Any = None) -> Run:
    """Keep a run as a baseline, exempt from retention, or let it go again (contract: load testing §16.9)."""
    with transaction.atomic():
        before, run.pinned = run.pinned, pinned
        run.save(update_fields=["pinned"])
        if before != pinned:
            record(
                actor=actor,
                action="UPDATE",
                resource="load_run",
                resource_id=run.pk,
                request=request,
                before={"baseline": before},
                after={"baseline": pinned},
            )
    return run
