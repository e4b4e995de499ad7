"""Sending commands to agents, and waiting for what comes back."""

import asyncio
from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Any, NamedTuple

from django.utils import timezone

from config import live
from config.api.errors import ApiError
from config.streams import query
from fleet.agents import calling
from fleet.commands import recording
from fleet.commands.models import OPEN, Batch, Execution, Status
from fleet.commands.specs import Spec

ANSWER_WITHIN = timedelta(seconds=5)  # beyond the command's own time (contract: fleet console §12)
LOOK_EVERY_S = 1.0


class Message(NamedTuple):
    """One execution that is to be sent now."""

    execution_id: str
    instance_id: str
    body: dict[str, Any]


def claim(batch_id: str, now: datetime | None = None) -> list[Message]:
    """Take the batch's ready executions for sending: nobody else sends them from now on."""
    now = now or timezone.now()
    batch = Batch.objects.get(pk=batch_id)
    waiting = batch.executions.filter(status=Status.PENDING, ready_at__isnull=False).order_by("pk")
    try:
        spec = Spec.of_batch(batch)
    except ApiError as error:  # its secrets cannot be read any more
        for execution in waiting:
            recording.finish(execution.pk, Status.FAILED, fault=error.message, only=Status.PENDING, now=now)
        return []
    deadline_at = now + timedelta(milliseconds=batch.timeout_ms) + ANSWER_WITHIN
    taken = []
    for execution in waiting.select_related("instance"):
        mine = Execution.objects.filter(pk=execution.pk, status=Status.PENDING)
        if mine.update(status=Status.RUNNING, started_at=now, deadline_at=deadline_at):
            taken.append(execution)
    recording.tell(taken, "started")
    return [Message(one.pk, one.instance_id, spec.dispatch(one.correlation_id)) for one in taken]


def not_delivered(messages: Sequence[Message], now: datetime | None = None) -> None:
    """Settle those whose agent is not connected."""
    for message in messages:
        fault = calling.not_connected(message.instance_id)
        recording.finish(message.execution_id, Status.FAILED, fault=fault, now=now or timezone.now())


async def send(batch_id: str) -> None:
    """Send what is ready of the batch to the agents; each says for itself whether it was there."""
    messages = await query(claim, batch_id)
    sent = await asyncio.gather(
        *(calling.adeliver(message.instance_id, "command:dispatch", message.body) for message in messages)
    )
    if lost := [message for message, arrived in zip(messages, sent, strict=True) if not arrived]:
        await query(not_delivered, lost)


async def until_over(batch_id: str, *, most_s: float) -> None:
    """Wait until every execution of the batch is over, at most so long; then settle what is overdue."""
    deadline = asyncio.get_running_loop().time() + most_s
    async with live.subscribe(recording.topic(batch_id), size=100) as events:
        while await query(_open, batch_id):
            rest = deadline - asyncio.get_running_loop().time()
            if rest <= 0:
                await query(settle_overdue, batch_id)
                return
            await _until_finished(events, min(rest, LOOK_EVERY_S))


async def _until_finished(events: live.Subscription, most_s: float) -> None:
    """Wait for the news that an execution is over. News can be lost, so the caller looks again after a while."""
    try:
        async with asyncio.timeout(most_s):
            while (await events.get()).event.get("what") != "finished":
                continue
    except TimeoutError:
        return


def _open(batch_id: str) -> bool:
    return Execution.objects.filter(batch_id=batch_id, status__in=OPEN).exists()


def settle_overdue(batch_id: str | None = None, now: datetime | None = None) -> int:
    """End what no agent has answered for by its deadline; how many."""
    now = now or timezone.now()
    overdue = Execution.objects.overdue(now).order_by("deadline_at", "pk")
    if batch_id:
        overdue = overdue.filter(batch_id=batch_id)
    settled = 0
    for execution in overdue.select_related("batch")[:500]:
        if name := execution.cancelled_by:
            status, fault = Status.FAILED, f"Cancelled by {name}; the agent has not confirmed it"
        else:
            status = Status.TIMEOUT
            fault = f"The agent sent no result within {execution.batch.timeout_ms / 1000:g} s"
        settled += recording.finish(execution.pk, status, fault=fault, only=Status.RUNNING, now=now)
    return settled
