"""The tick of the monitors: claim what is due, send again what was lost, settle what died (architecture §7)."""

import logging
from datetime import datetime, timedelta
from functools import partial

from django.db import IntegrityError, transaction

from monitors.monitors.cron import fires, next_fire
from monitors.monitors.models import Monitor
from monitors.runs import services
from monitors.runs.models import Run, Status, Trigger

log = logging.getLogger(__name__)
LATEST = timedelta(seconds=60)  # an older fire time is not made up
DUE_AT_ONCE = 500
IN_ONE_TRANSACTION = 50
RESENT_AT_ONCE = 20
SETTLED_AT_ONCE = 200


def tick(*, now: datetime) -> None:
    """All of it, in the order of urgency."""
    claim_due(now=now)
    settle_abandoned(now=now)
    settle_untaken(now=now)
    promote_waiting(now=now)
    services.dispatch_to_worker(Run.objects.unsent(now).values_list("pk", flat=True)[:RESENT_AT_ONCE])


def claim_due(*, now: datetime) -> int:
    """Queue a run for each due monitor; how many this dispatcher won.

    Claim and run are one transaction, so a dispatcher that dies leaves either both or none. Several monitors share
    a transaction to share its flush to disk; all dispatchers take rows in the same order, so none can deadlock.
    """
    due, won = list(Monitor.objects.due(now)[:DUE_AT_ONCE]), 0
    for start in range(0, len(due), IN_ONE_TRANSACTION):
        with transaction.atomic():
            won += sum(_claim(monitor, now) for monitor in due[start : start + IN_ONE_TRANSACTION])
    return won


def _claim(monitor: Monitor, now: datetime) -> bool:
    upcoming = next_fire(monitor.schedule, monitor.time_zone, now)
    same = Monitor.objects.filter(pk=monitor.pk, enabled=True, next_run_at=monitor.next_run_at)
    if upcoming is None:  # a schedule with a last date is over
        return bool(same.update(next_run_at=None, enabled=False)) and False
    if not same.update(next_run_at=upcoming):
        return False
    fire = _fire_to_make(monitor, now)
    if fire is None:
        log.warning("monitor %s: fire times since %s were missed", monitor.pk, monitor.next_run_at)
        return False
    if services.has_active(monitor):
        services.skip(monitor=monitor, scheduled_at=fire)
        return False
    try:
        with transaction.atomic():
            services.add(monitor=monitor, trigger=Trigger.SCHEDULE, now=now, scheduled_at=fire)
    except IntegrityError:  # a run by hand came between
        services.skip(monitor=monitor, scheduled_at=fire)
        return False
    return True


def _fire_to_make(monitor: Monitor, now: datetime) -> datetime | None:
    """The newest fire time that has come; None when even that is too old."""
    assert monitor.next_run_at is not None  # noqa: S101 - due rows have one
    if now - monitor.next_run_at <= LATEST:
        return monitor.next_run_at
    newest = None
    for moment in fires(monitor.schedule, monitor.time_zone, now - LATEST - timedelta(seconds=1)):
        if moment > now:
            break
        newest = moment
    return newest


def settle_abandoned(*, now: datetime) -> int:
    """End runs whose worker is gone: as cancelled when that was asked for, else as an error."""
    settled = 0
    for run in Run.objects.abandoned(now).order_by("lease_until")[:SETTLED_AT_ONCE]:
        if run.cancel_requested_at:
            status, error = Status.CANCELLED, None
        else:
            status, error = Status.ERROR, ("worker_lost", "The worker that made this run has stopped.")
        settled += services.finish(run=run, status=status, now=now, error=error, only={"lease_until__lt": now})
    return settled


def settle_untaken(*, now: datetime) -> int:
    """End runs that no worker took in time."""
    error = ("agent_unavailable", "No worker of the agent took this run in time.")
    waiting = Run.objects.untaken(now).order_by("take_until")[:SETTLED_AT_ONCE]
    return sum(services.finish(run=run, status=Status.ERROR, now=now, error=error) for run in waiting)


def promote_waiting(*, now: datetime) -> None:
    """Runs that wait behind one that is over; normally its end has promoted them already."""
    waiting = Run.objects.filter(status=Status.QUEUED, waiting=True, queued_at__lte=now - timedelta(seconds=3))
    for monitor_id in waiting.order_by("queued_at").values_list("monitor_id", flat=True)[:SETTLED_AT_ONCE]:
        with transaction.atomic():
            if run := services.promote(monitor_id=monitor_id, now=now):
                transaction.on_commit(partial(services.announce, run, send=True))
