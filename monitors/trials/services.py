"""What changes a trial: starting, claiming, renewing, ending, cancelling, and the look after all of them."""

import logging
from collections.abc import Iterable
from datetime import datetime
from typing import Any
from uuid import UUID, uuid4

from django.db import transaction
from django.utils import timezone

from config import live
from config.api.authentication import Principal
from config.api.errors import Conflict
from monitors.monitors.models import Monitor
from monitors.runs.models import Status
from monitors.runs.services import LEASE, QUEUE
from monitors.trials.models import Trial
from security.audit.services import record

log = logging.getLogger(__name__)
MOST_EACH, MOST = 2, 20  # active ones, of one person and of everybody
AT_ONCE = 50


@transaction.atomic
def start(*, draft: Monitor, script: tuple[str, str], actor: Principal | None, request: Any = None) -> Trial:
    """Ask for a trial of a checked draft and its script as (name, text). Raises Conflict when too many are active."""
    name, now = actor.name if actor else "", timezone.now()
    active = Trial.objects.active()
    if active.filter(requested_by=name).count() >= MOST_EACH or active.count() >= MOST:
        raise Conflict("Other trials are not over yet. Wait for them, or cancel them.")
    trial = Trial.objects.create(
        requested_by=name,
        name=draft.name,
        tool=draft.tool,
        thresholds=draft.thresholds,
        parameters=draft.parameters,
        sealed_for=draft.pk,
        request=draft.request,
        script_name=script[0],
        script=script[1],
        timeout_s=draft.effective_timeout_s,
        queued_at=now,
    )
    record(
        actor=actor,
        action="EXECUTE",
        resource="monitor_trial",
        resource_id=str(trial.pk),
        request=request,
        after={"name": draft.name, "tool": draft.tool},
    )
    transaction.on_commit(lambda: dispatch([trial.pk]))
    return trial


def dispatch(keys: Iterable[UUID]) -> None:
    """Send trials to the workers. What gets lost is sent again by the tick."""
    from monitors.trials.tasks import execute

    for key in keys:
        try:
            execute.apply_async((str(key),), queue=QUEUE, expires=30, retry=False)
        except Exception:  # noqa: BLE001 - whatever the broker's client raises: the row waits for the tick
            log.warning("trial %s could not be sent; it will be sent again", key, exc_info=True)
            return


def claim(*, key: UUID, now: datetime) -> Trial | None:
    """QUEUED → RUNNING for this process; None when somebody else has the trial or it is over."""
    attempt = uuid4()
    won = Trial.objects.filter(pk=key, status=Status.QUEUED).update(
        status=Status.RUNNING, started_at=now, attempt=attempt, lease_until=now + LEASE
    )
    if not won:
        return None
    announce(key)
    return Trial.objects.get(pk=key)


def renew(*, trial: Trial, now: datetime) -> bool:
    """Extend the lease of this attempt; False when it was lost."""
    kept = Trial.objects.filter(pk=trial.pk, attempt=trial.attempt, status=Status.RUNNING)
    return bool(kept.update(lease_until=now + LEASE))


def keep_log(*, trial: Trial, text: str) -> None:
    """The log so far, while this attempt has the trial."""
    if Trial.objects.filter(pk=trial.pk, attempt=trial.attempt, status=Status.RUNNING).update(log=text):
        announce(trial.pk)


def finish(*, trial: Trial, status: Status, now: datetime, error: tuple[str, str] | None = None, **facts: Any) -> bool:
    """To a final state, once: False when this attempt no longer owns the trial. `facts` are columns of the result."""
    code, message = error or ("", "")
    won = Trial.objects.filter(pk=trial.pk, status=trial.status, attempt=trial.attempt).update(
        status=status,
        completed_at=now,
        lease_until=None,
        error_code=code,
        error_message=message.replace("\x00", "")[:2000],
        **facts,
    )
    if won:
        announce(trial.pk)
    return bool(won)


def cancel(*, trial: Trial, now: datetime) -> None:
    """A queued trial ends at once, a running one when its worker has seen the mark, within a second."""
    if trial.status == Status.QUEUED and finish(trial=trial, status=Status.CANCELLED, now=now):
        return
    Trial.objects.active().filter(pk=trial.pk, cancel_requested_at=None).update(cancel_requested_at=now)


def look_after(*, now: datetime) -> None:
    """Send again what was lost, end what nobody took or whose worker died, forget what is old."""
    for trial in Trial.objects.abandoned(now)[:AT_ONCE]:
        finish(trial=trial, status=Status.ERROR, now=now, error=("worker_lost", "The worker of this trial stopped."))
    for trial in Trial.objects.untaken(now)[:AT_ONCE]:
        error = ("agent_unavailable", "No worker of the platform took this trial in time.")
        finish(trial=trial, status=Status.ERROR, now=now, error=error)
    dispatch(Trial.objects.unsent(now).values_list("pk", flat=True)[:AT_ONCE])
    Trial.objects.expired(now).delete()


def announce(key: UUID) -> None:
    live.publish(f"trial:{key}", {"kind": "trial"})
