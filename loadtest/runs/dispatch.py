"""Getting runs to workers, and looking after those that nobody looks after (architecture §7)."""

import logging
from collections.abc import Iterable
from datetime import datetime

from loadtest.runs.models import Kind, Run, Status
from loadtest.runs.state import finish

log = logging.getLogger(__name__)
QUEUE = "load"
RESENT_AT_ONCE = 20
SETTLED_AT_ONCE = 200
WAITS = "Waits for a load worker that is free."
LOST = "The worker that made this run has stopped. What was measured until then is kept."
UNTAKEN = "No load worker took this run within 15 minutes."
UNRECORDED = "The request was sent, but its result was never recorded: the server stopped meanwhile."


def send(run_ids: Iterable[str]) -> None:
    """Send run ids to the workers. What gets lost, or is late, is sent again by the tick."""
    from loadtest.runs.tasks import execute

    for run_id in run_ids:
        try:
            execute.apply_async((run_id,), queue=QUEUE, expires=30, retry=False)
        except Exception:  # noqa: BLE001 - whatever the broker's client raises: the row waits for the tick
            log.warning("load run %s could not be sent; the dispatcher will send it again", run_id, exc_info=True)
            return


def send_parts(run_id: str, indices: Iterable[int]) -> None:
    """Send parts of a run that is spread over several workers. Its coordinator sends again what nobody takes."""
    from loadtest.runs.tasks import execute_part

    for index in indices:
        try:
            execute_part.apply_async((run_id, index), queue=QUEUE, expires=30, retry=False)
        except Exception:  # noqa: BLE001 - as above
            log.warning("part %s of load run %s could not be sent", index, run_id, exc_info=True)
            return


def tick(*, now: datetime) -> None:
    """Settle what died, tell those that wait, send again what was lost."""
    settle_abandoned(now=now)
    for run in Run.objects.untaken(now).only("pk", "started_at", "attempt")[:SETTLED_AT_ONCE]:
        finish(run=run, status=Status.FAILED, now=now, message=UNTAKEN, only={"status": Status.PENDING})
    unsent = list(Run.objects.unsent(now).values_list("pk", flat=True)[:RESENT_AT_ONCE])
    Run.objects.filter(pk__in=unsent, status=Status.PENDING, message="").update(message=WAITS)
    send(unsent)


def settle_abandoned(*, now: datetime) -> int:
    """End runs whose worker is gone: as stopped when that was asked for, else as failed. How many it settled."""
    settled = 0
    for run in Run.objects.abandoned(now).light().order_by("lease_until")[:SETTLED_AT_ONCE]:
        if run.kind == Kind.DESIGN:
            status, message = Status.FAILED, UNRECORDED
        elif run.stop_requested_at:
            status, message = Status.STOPPED, LOST
        else:
            status, message = Status.FAILED, LOST
        settled += finish(run=run, status=status, now=now, message=message, only={"lease_until__lt": now})
    return settled


def next_waiting() -> list[str]:
    """The run that waits longest, for a worker that has just become free."""
    waiting = Run.objects.filter(kind=Kind.LOAD, status=Status.PENDING).order_by("started_at", "pk")
    return list(waiting.values_list("pk", flat=True)[:1])
