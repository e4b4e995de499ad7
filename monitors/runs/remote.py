"""Runs that an agent elsewhere makes: it asks for them, tells how they go, and hands in what came out (monitors §7.2).

An agent touches the runs that it has claimed and no others: for all else it gets what a stranger gets.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

from config import live
from config.api.errors import NotFound
from monitors.agents.models import Agent
from monitors.monitors.opening import masks_of, opened
from monitors.runs import judge, logs, services
from monitors.runs.attempt import UNUSABLE
from monitors.runs.masking import Masker
from monitors.runs.models import Run, Status
from monitors.runs.verdict import verdict
from monitors.tools.base import Outcome
from security.vault.references import Unusable

LEASE = timedelta(seconds=60)  # silence after which a run counts as lost; four beats
LOOKED_AT = 20


def claim_next(*, agent: Agent, now: datetime) -> Run | None:
    """The run of this agent that waits longest, now its own; None when none waits."""
    waiting = Run.objects.filter(agent=agent, status=Status.QUEUED, waiting=False, take_until__gte=now)
    for key in waiting.order_by("ready_at", "pk").values_list("pk", flat=True)[:LOOKED_AT]:
        if run := services.claim(run_id=key, agent_id=agent.pk, now=now, lease=LEASE):
            return run
    return None


def take_next(*, agent: Agent, now: datetime) -> dict[str, Any] | None:
    """What the agent is to make next; None when nothing waits. A run whose secrets cannot be read ends here."""
    while run := claim_next(agent=agent, now=now):
        try:
            return job_of(run)
        except Unusable as fault:
            services.finish(run=run, status=Status.ERROR, now=now, error=(UNUSABLE, fault.message))
    return None


def job_of(run: Run) -> dict[str, Any]:
    """What the agent needs to make the run; parameters are plain values, secrets included.

    `secretParameters` names those with a value from the vault, which the agent masks whatever they are called.
    """
    found = opened(run.spec["parameters"], monitor_id=run.monitor_id)
    return {
        "runId": str(run.pk),
        "monitorId": str(run.monitor_id),
        "tool": run.tool,
        "script": run.script.body if run.script else None,
        "scriptName": run.script.name if run.script else None,
        "parameters": found.values,
        "secretParameters": found.hidden,
        "request": run.spec["request"],
        "thresholds": run.spec["thresholds"],
        "timeoutSeconds": run.timeout_s,
    }


def renew(*, agent: Agent, making: Iterable[UUID] | int, now: datetime) -> list[UUID]:
    """Extend the leases of the runs that the agent says it is making; the runs that it shall stop.

    Those are runs to be cancelled, and ones that it names but that are not its own any more. An agent that tells only
    how many it makes keeps all of its runs, but none beyond the time that the run may take.
    """
    mine = Run.objects.filter(agent=agent, status=Status.RUNNING)
    if isinstance(making, int):
        rows = list(mine.values_list("pk", "started_at", "timeout_s")) if making else []
        named = [key for key, began, limit in rows if now < began + timedelta(seconds=limit) + LEASE]
        lost: list[UUID] = []
    else:
        named = list(making)
        own = set(mine.filter(pk__in=named).values_list("pk", flat=True))
        lost = [key for key in named if key not in own]
    mine.filter(pk__in=named).update(lease_until=now + LEASE)
    cancelled = mine.filter(cancel_requested_at__isnull=False).order_by("started_at", "pk")
    return [*cancelled.values_list("pk", flat=True), *lost]


def append_log(*, agent: Agent, run_id: UUID, data: bytes, offset: int | None, now: datetime) -> bool:
    """Store a piece of the log and extend the lease; whether the agent shall go on with the run.

    Raises NotFound for a run that is not the agent's.
    """
    run = _get(agent, run_id)
    if run.is_over:
        return False
    if data and logs.append(run.pk, data, secrets=_secrets(run), offset=offset):
        live.publish(f"run:{run.pk}", {"kind": "log", "runId": str(run.pk)})
    return services.renew(run=run, now=now, lease=LEASE) and run.cancel_requested_at is None


@dataclass(frozen=True)
class Report:
    """What an agent hands in. `outcome` holds our figures, not yet judged; `breaches` in it are the script's own."""

    outcome: Outcome
    cancelled: bool = False


def complete(*, agent: Agent, run_id: UUID, report: Report, now: datetime) -> tuple[Run, bool]:
    """End the run with what the agent found, judged here; the second value is False when it was over already.

    Raises NotFound for a run that is not the agent's.
    """
    run = _get(agent, run_id)
    if run.is_over:
        return run, False
    masker, outcome = Masker(_secrets(run)), report.outcome
    if report.cancelled or run.cancel_requested_at:
        status, breaches, outcome = Status.CANCELLED, [], Outcome(exit_code=outcome.exit_code)
    else:
        status, breaches = verdict(outcome, run.spec["thresholds"])
    ended = services.finish(
        run=run,
        status=status,
        now=now,
        metrics=judge.rounded(outcome.metrics) if outcome.metrics else None,
        breaches=[breach | {"message": masker.masked(breach["message"])} for breach in breaches],
        error=(outcome.error[0], masker.masked(outcome.error[1])) if outcome.error else None,
        exit_code=outcome.exit_code,
        screenshot=outcome.screenshot,
    )
    run.refresh_from_db()
    return run, ended


def _get(agent: Agent, run_id: UUID) -> Run:
    """A run that this agent has claimed, even if it is over by now."""
    found = Run.objects.filter(pk=run_id, agent=agent, attempt__isnull=False).select_related("script")
    run = found.defer("script__body").first()
    if run is None:
        raise NotFound(f"Run '{run_id}' not found")
    return run


def _secrets(run: Run) -> list[str]:
    return masks_of(run.spec["parameters"], monitor_id=run.monitor_id)
