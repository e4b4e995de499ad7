"""The tick of the monitors: claim what is due, send again what was lost, settle what died (architecture §7)."""

import time
from datetime import datetime, timedelta
from functools import partial

from django.db import transaction
from django.utils import timezone

from config.api.fields import seconds
from config.single import one_at_a_time
from monitors.agents.load import Load, loads_of
from monitors.runs import services
from monitors.runs.claiming import claim_due, soon
from monitors.runs.models import Run, Status

__all__ = ["claim_due", "keep_up", "settle_abandoned", "settle_untaken", "tick"]

RESENT_AT_ONCE = 20
SETTLED_AT_ONCE = 200


@one_at_a_time
def keep_up() -> None:
    """One tick, on the dot when a monitor is due within the second.

    Ticks come each second, but not at its beginning: without the wait a run would be late by up to one of them.
    """
    time.sleep(soon(now=timezone.now()))
    tick(now=timezone.now())


def tick(*, now: datetime) -> None:
    """All of it, in the order of urgency."""
    claim_due(now=now)
    if not Run.objects.filter(completed_at=None).exists():  # nothing is open: most of the time
        return
    settle_abandoned(now=now)
    settle_untaken(now=now)
    promote_waiting(now=now)
    services.dispatch_to_worker(Run.objects.unsent(now).values_list("pk", flat=True)[:RESENT_AT_ONCE])


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
    """End runs that their agent did not take in time, and tell why."""
    waiting = list(Run.objects.untaken(now).select_related("agent").order_by("take_until")[:SETTLED_AT_ONCE])
    loads = loads_of({run.agent_id: run.agent for run in waiting}.values(), now)
    settled = 0
    for run in waiting:
        error = ("agent_unavailable", why_untaken(run, loads[run.agent_id]))
        settled += services.finish(run=run, status=Status.ERROR, now=now, error=error)
    return settled


def why_untaken(run: Run, load: Load) -> str:
    """Why nobody took a run, in words: the agent was never there, is away, cannot run the tool, or was busy."""
    waited = f"within {(run.take_until - run.ready_at).total_seconds():.0f} s"
    agent = f"The agent '{run.agent_id}'"
    if load.heartbeat_at is None:
        return f"{agent} took no run {waited}: it has never been in touch."
    if load.status == "offline":
        return f"{agent} took no run {waited}: it is offline, last heard of at {seconds(load.heartbeat_at)}."
    return f"{agent} took no run {waited}: it is online and makes {load.active_runs} of {load.capacity} runs at once."


def promote_waiting(*, now: datetime) -> None:
    """Runs that wait behind one that is over; normally its end has promoted them already."""
    waiting = Run.objects.filter(status=Status.QUEUED, waiting=True, queued_at__lte=now - timedelta(seconds=3))
    for monitor_id in waiting.order_by("queued_at").values_list("monitor_id", flat=True)[:SETTLED_AT_ONCE]:
        with transaction.atomic():
            if run := services.promote(monitor_id=monitor_id, now=now):
                transaction.on_commit(partial(services.announce, run, send=True))
