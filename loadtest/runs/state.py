"""The steps of a run's row, each one conditional update: made, claimed, renewed, ended."""

from datetime import datetime, timedelta
from functools import partial
from typing import Any
from uuid import uuid4

from django.db import IntegrityError, transaction

from config import live
from loadtest.ids import new_id
from loadtest.runs.models import ACTIVE, Kind, Run, Status
from security.vault.crypto import decrypt, encrypt

LEASE = timedelta(seconds=12)
LIST_TOPIC = "load-runs"


def topic(run_id: str) -> str:
    """Where the live events of one run are published."""
    return f"load-run:{run_id}"


def create(*, plan: str = "", **fields: Any) -> Run:
    """A new row with an id that nobody has; `plan` is sealed for it."""
    for _ in range(5):
        run = Run(id=new_id("run"), **fields)
        run.plan = encrypt(plan, context=context_of(run)) if plan else ""
        try:
            with transaction.atomic():
                run.save(force_insert=True)
        except IntegrityError as clash:
            failure = clash
        else:
            return run
    raise failure


def opened_plan(run: Run) -> str:
    """What `create` was given as `plan`."""
    return decrypt(run.plan, context=context_of(run))


def context_of(run: Run) -> str:
    """The place that a plan is bound to."""
    return f"loadtest.run.plan:{run.pk}"


def claim(*, run_id: str, now: datetime) -> Run | None:
    """PENDING → RUNNING for this process; None when somebody else has the run or it is over."""
    attempt = uuid4()
    waiting = Run.objects.filter(pk=run_id, kind=Kind.LOAD, status=Status.PENDING, stop_requested_at=None)
    if not waiting.update(status=Status.RUNNING, attempt=attempt, lease_until=now + LEASE, message=""):
        return None
    return Run.objects.get(pk=run_id, attempt=attempt)


def give_back(*, run: Run, why: str) -> None:
    """RUNNING → PENDING for a run that cannot begin yet; `why` is told to whoever looks at it."""
    mine = Run.objects.filter(pk=run.pk, attempt=run.attempt, status=Status.RUNNING)
    mine.update(status=Status.PENDING, attempt=None, lease_until=None, message=why)


def renew(*, run: Run, now: datetime, **fields: Any) -> bool:
    """Extend the lease of this attempt and store `fields` with it; False when the lease was lost."""
    kept = Run.objects.filter(pk=run.pk, attempt=run.attempt, status=Status.RUNNING)
    return bool(kept.update(lease_until=now + LEASE, **fields))


def finish(*, run: Run, status: Status, now: datetime, message: str = "", only: Any = None, **fields: Any) -> bool:
    """To a final state, once: False when this attempt no longer owns the run. `only` narrows the condition further.

    A run whose deletion waits for its worker goes now.
    """
    mine = Run.objects.filter(pk=run.pk, status__in=ACTIVE, attempt=run.attempt, **(only or {}))
    with transaction.atomic():
        won = mine.update(
            status=status,
            ended_at=max(now, run.started_at),
            message=message.replace("\x00", "")[:2000],
            plan="",
            lease_until=None,
            **fields,
        )
        if won:
            Run.objects.filter(pk=run.pk, doomed=True).delete()
            transaction.on_commit(partial(announce, run.pk, status))
    return bool(won)


def announce(run_id: str, status: str) -> None:
    """After commit: tell the run's readers, and the lists of runs, that its state has changed."""
    event = {"kind": "run", "runId": run_id, "status": status}
    live.publish_all([(topic(run_id), event), (LIST_TOPIC, event)])
