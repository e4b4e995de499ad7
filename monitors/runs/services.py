"""What changes a run: asking for one, claiming it, renewing, ending, cancelling (contract: monitors §5.1)."""

import logging
import random
from collections.abc import Iterable, Sequence
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID, uuid4

from django.db import IntegrityError, transaction
from django.utils import timezone

from config import live
from config.api.authentication import Principal
from config.api.errors import Conflict
from monitors.agents.models import DEFAULT
from monitors.monitors.models import Monitor
from monitors.runs.models import BAD, GOOD, Run, Screenshot, Status, Trigger
from security.audit.services import record

log = logging.getLogger(__name__)
QUEUE = "monitors"
LEASE = timedelta(seconds=20)
LONGEST_WAIT = timedelta(seconds=300)
WOKEN_AT_ONCE = 32  # messages for a batch of runs; more would only find all places taken
LOOKED_AT = 16
MOST_WAITING = 20  # runs queued behind the active one of a monitor


def trigger(*, monitor: Monitor, actor: Principal | None, queue: bool = False, request: Any = None) -> Run:
    """Ask for a run by hand, also of a paused monitor. Raises Conflict while one is active, unless `queue`.

    The conflict carries `runId`, the active run.
    """
    now = timezone.now()
    name = actor.name if actor else ""
    with transaction.atomic():
        active = Run.objects.active().filter(monitor=monitor).first()
        if active and not queue:
            raise _overlap(active)
        if active and Run.objects.filter(monitor=monitor, status=Status.QUEUED, waiting=True).count() >= MOST_WAITING:
            raise Conflict(f"{MOST_WAITING} runs of this monitor are waiting already.", facts={"runId": str(active.pk)})
        try:
            with transaction.atomic():
                run = add(monitor=monitor, trigger=Trigger.MANUAL, now=now, waiting=bool(active), requested_by=name)
        except IntegrityError:  # somebody else was faster
            active = Run.objects.active().filter(monitor=monitor).first()
            raise _overlap(active) from None
        record(
            actor=actor,
            action="EXECUTE",
            resource="monitor",
            resource_id=str(monitor.pk),
            request=request,
            after={"run": str(run.pk)},
        )
    return run


def _overlap(active: Run | None) -> Conflict:
    facts = {"runId": str(active.pk)} if active else {}
    return Conflict('A run of this monitor is active. Wait for it, or send {"queue": true}.', facts=facts)


def add(
    *,
    monitor: Monitor,
    trigger: Trigger,
    now: datetime,
    waiting: bool = False,
    scheduled_at: datetime | None = None,
    requested_by: str = "",
) -> Run:
    """Insert a queued run with the monitor's settings of now, and send it after commit.

    Raises IntegrityError when the monitor has an active run, or one for this fire time.
    """
    script = monitor.script
    run = draft(
        monitor=monitor,
        script_id=script.pk if script else None,
        trigger=trigger,
        now=now,
        waiting=waiting,
        scheduled_at=scheduled_at,
        requested_by=requested_by,
    )
    run.save(force_insert=True)
    transaction.on_commit(lambda: announce(run, send=not waiting))
    return run


def draft(
    *,
    monitor: Monitor,
    script_id: int | None,
    trigger: Trigger,
    now: datetime,
    waiting: bool = False,
    scheduled_at: datetime | None = None,
    requested_by: str = "",
) -> Run:
    """A run with the monitor's settings of now, not saved yet."""
    wait = min(timedelta(seconds=monitor.shortest_gap_s), LONGEST_WAIT)
    return Run(
        monitor=monitor,
        script_id=script_id,
        trigger=trigger,
        requested_by=requested_by,
        tool=monitor.tool,
        agent_id=monitor.agent_id,
        spec={
            "thresholds": monitor.thresholds,
            "parameters": monitor.parameters,
            "request": monitor.request,
            "wait_s": int(wait.total_seconds()),
        },
        timeout_s=monitor.effective_timeout_s,
        scheduled_at=scheduled_at,
        waiting=waiting,
        queued_at=now,
        ready_at=now,
        take_until=now + wait,
    )


def announce(run: Run, *, send: bool = False) -> None:
    """After commit: tell the pages, and a worker when the run can be taken."""
    event = _event(run)
    live.publish_all([(topic, event) for topic in (f"run:{run.pk}", f"monitor:{run.monitor_id}", "monitors")])
    if send and run.agent_id == DEFAULT:  # other agents come and ask
        dispatch_to_worker([run.pk])


def announce_queued(runs: Sequence[Run]) -> None:
    """After commit: tell of many new runs at the price of one. Workers that are woken take the others by themselves."""
    events = [(f"monitor:{run.monitor_id}", _event(run)) for run in runs]
    live.publish_all([*events, ("monitors", {"kind": "queued", "runs": len(runs)})])
    dispatch_to_worker([run.pk for run in runs if run.agent_id == DEFAULT][:WOKEN_AT_ONCE])


def _event(run: Run) -> dict[str, str]:
    return {"kind": "run", "runId": str(run.pk), "monitorId": str(run.monitor_id), "status": run.status}


def dispatch_to_worker(run_ids: Iterable[UUID]) -> None:
    """Send run ids to the workers. What gets lost, or is late, is sent again by the tick."""
    from monitors.runs.tasks import execute

    for run_id in run_ids:
        try:
            execute.apply_async((str(run_id),), queue=QUEUE, expires=30, retry=False)
        except Exception:  # noqa: BLE001 - whatever the broker's client raises: the row waits for the tick
            log.warning("run %s could not be sent; the dispatcher will send it again", run_id, exc_info=True)
            return


def claim(*, run_id: UUID, now: datetime, agent_id: str = DEFAULT, lease: timedelta = LEASE) -> Run | None:
    """QUEUED → RUNNING for this agent; None when somebody else has the run, or it is over or another agent's."""
    attempt = uuid4()
    won = Run.objects.filter(pk=run_id, agent=agent_id, status=Status.QUEUED, waiting=False).update(
        status=Status.RUNNING, started_at=now, attempt=attempt, lease_until=now + lease
    )
    if not won:
        return None
    run = Run.objects.select_related("script").get(pk=run_id, attempt=attempt)
    announce(run)
    return run


def claim_next(*, now: datetime) -> Run | None:
    """Take one of the runs that wait longest for the platform's own workers; None when there is none left."""
    while keys := list(Run.objects.takeable().values_list("pk", flat=True)[:LOOKED_AT]):
        random.shuffle(keys)  # so that workers beside each other seldom reach for the same one
        for key in keys:
            if run := claim(run_id=key, now=now):
                return run
    return None


def renew(*, run: Run, now: datetime, lease: timedelta = LEASE) -> bool:
    """Extend the lease of this attempt; False when it was lost."""
    kept = Run.objects.filter(pk=run.pk, attempt=run.attempt, status=Status.RUNNING)
    return bool(kept.update(lease_until=now + lease))


@transaction.atomic
def finish(
    *,
    run: Run,
    status: Status,
    now: datetime,
    metrics: dict[str, Any] | None = None,
    breaches: list[dict[str, Any]] | None = None,
    error: tuple[str, str] | None = None,
    exit_code: int | None = None,
    screenshot: bytes | None = None,
    only: dict[str, Any] | None = None,
) -> bool:
    """To a final state, once: False when this attempt no longer owns the run. `only` narrows the condition further."""
    code, message = error or ("", "")
    end = {
        "status": status,
        "waiting": False,
        "completed_at": now,
        "lease_until": None,
        "metrics": metrics,
        "breaches": breaches or [],
        "error_code": code,
        "error_message": message.replace("\x00", "")[:2000],
        "exit_code": exit_code,
    }
    same = Run.objects.filter(pk=run.pk, status=run.status, attempt=run.attempt, waiting=run.waiting)
    if not same.filter(**(only or {})).update(**end):
        return False
    for name, value in end.items():
        setattr(run, name, value)
    if screenshot:
        Screenshot.objects.create(run=run, image=screenshot, at=now)
    _tell_monitor(run)
    next_up = promote(monitor_id=run.monitor_id, now=now)
    transaction.on_commit(lambda: announce(run))
    if next_up:
        transaction.on_commit(lambda: announce(next_up, send=True))
    return True


def _tell_monitor(run: Run) -> None:
    """Repeat the newest result on the monitor's row; an older run that ends late changes nothing."""
    began = run.started_at or run.queued_at
    newest = Monitor.objects.filter(pk=run.monitor_id).exclude(last_run_at__gt=began)
    metrics = run.metrics or {}
    facts = {
        "last_run_id": run.pk,
        "last_run_at": began,
        "last_status": run.status,
        "last_p95_ms": metrics.get("p95"),
        "last_error_rate": metrics.get("errorRate"),
    }
    if run.status != Status.CANCELLED:
        counted = Run.objects.filter(monitor_id=run.monitor_id, status__in=(*GOOD, *BAD)).exclude(pk=run.pk)
        before = counted.newest_first().values_list("status", flat=True).first()
        if before is None or (before in GOOD) != (run.status in GOOD):
            facts["state_since_at"] = run.completed_at
    newest.update(**facts)


def promote(*, monitor_id: UUID, now: datetime) -> Run | None:
    """Let the oldest waiting run of a monitor without an active one be taken; the run, or None."""
    waiting = Run.objects.filter(monitor_id=monitor_id, status=Status.QUEUED, waiting=True)
    run = waiting.order_by("queued_at", "pk").first()
    if run is None or Run.objects.active().filter(monitor_id=monitor_id).exists():
        return None
    try:
        with transaction.atomic():
            won = Run.objects.filter(pk=run.pk, status=Status.QUEUED, waiting=True).update(
                waiting=False, ready_at=now, take_until=now + timedelta(seconds=run.spec["wait_s"])
            )
    except IntegrityError:  # another run has become active meanwhile
        return None
    run.refresh_from_db()
    return run if won else None


def cancel(*, run: Run, actor: Principal | None, request: Any = None) -> tuple[Run, bool]:
    """Cancel a run; the second value is False when it was over already.

    A queued run ends at once, a running one when its worker has seen the mark, within a second.
    """
    now = timezone.now()
    with transaction.atomic():
        if run.status == Status.QUEUED and not finish(run=run, status=Status.CANCELLED, now=now):
            run.refresh_from_db()
        changed = run.status == Status.CANCELLED and run.completed_at == now
        if run.status == Status.RUNNING:
            marked = Run.objects.filter(pk=run.pk, status=Status.RUNNING)
            changed = bool(marked.filter(cancel_requested_at=None).update(cancel_requested_at=now)) or marked.exists()
            run.refresh_from_db()
        if changed:
            record(actor=actor, action="CANCEL", resource="monitor_run", resource_id=str(run.pk), request=request)
    return run, changed
