"""What agents say of commands, as rows (contract: fleet console §12, §31.4)."""

from collections.abc import Iterable
from datetime import datetime
from functools import partial
from typing import Any

from django.db import IntegrityError, transaction
from django.db.models import F
from django.utils import timezone

from config import live
from fleet.commands import queries
from fleet.commands.models import OPEN, Execution, Output, Status, Stream
from fleet.commands.reports import Piece, Result

MOST_BYTES = 1 << 20  # of each stream
MOST_PIECES = 10_000  # of one execution
PIECE_CHARACTERS = 16_384
SIZES = {Stream.STDOUT: "stdout_bytes", Stream.STDERR: "stderr_bytes"}


def topic(batch_id: str) -> str:
    """Where readers of one batch hear of it."""
    return f"command:{batch_id}"


def find(instance_id: str, correlation_id: str) -> Execution | None:
    """The execution that an agent speaks of, if it is one of its instance."""
    rows = Execution.objects.filter(instance_id=instance_id, correlation_id=correlation_id)
    return rows.select_related("batch", "instance").first()


@transaction.atomic
def take_piece(execution: Execution, piece: Piece, *, now: datetime | None = None) -> bool:
    """Store what a running command printed; False when it is known, too late or too much."""
    if execution.is_over or piece.sequence >= MOST_PIECES:
        return False
    stored = _store(execution, piece.kind, piece.sequence, piece.data, now or timezone.now())
    if stored:
        event = {"kind": "output", "executionId": execution.pk}
        transaction.on_commit(partial(live.publish, topic(execution.batch_id), event))
    return stored


def _store(execution: Execution, stream: Stream, sequence: int, text: str, now: datetime) -> bool:
    """Add a piece, cut where the stream reaches its limit."""
    size, known = len(text.encode()), getattr(execution, SIZES[stream])
    if known + size > MOST_BYTES:
        size = MOST_BYTES - known  # full from now on, also when half a character is left over
        text = text.encode()[:size].decode(errors="ignore")
        Execution.objects.filter(pk=execution.pk).update(is_cut=True)
    if not text:
        return False
    try:
        with transaction.atomic():
            Output.objects.create(execution=execution, sequence=sequence, stream=stream, text=text, at=now)
    except IntegrityError:  # the agent was not sure that it had arrived
        return False
    Execution.objects.filter(pk=execution.pk).update(**{SIZES[stream]: F(SIZES[stream]) + size})
    setattr(execution, SIZES[stream], known + size)
    return True


@transaction.atomic
def take_result(execution: Execution, result: Result, *, now: datetime | None = None) -> bool:
    """Settle the execution by what its agent says; False when it is settled already."""
    now = now or timezone.now()
    if execution.is_over:
        return False
    if not result.streamed and not execution.output.exists():
        _store_whole(execution, result, now)
    status = Status.SUCCEEDED if result.exit_code == 0 else Status.FAILED
    exit_code: int | None = result.exit_code
    fault = result.error
    if result.timed_out:
        status, exit_code, fault = Status.TIMEOUT, None, _late(execution)
    elif result.cancelled:
        status, exit_code, fault = Status.FAILED, None, f"Cancelled by {execution.cancelled_by or 'the machine'}"
    if result.truncated:
        Execution.objects.filter(pk=execution.pk).update(is_cut=True)
    return finish(execution.pk, status, exit_code=exit_code, duration_ms=result.duration_ms, fault=fault[:500], now=now)


def _late(execution: Execution) -> str:
    return f"The command did not end within {execution.batch.timeout_ms / 1000:g} s and was stopped"


def _store_whole(execution: Execution, result: Result, now: datetime) -> None:
    """Output that came in one go, with the result."""
    sequence = 0
    for stream, text in ((Stream.STDOUT, result.stdout or ""), (Stream.STDERR, result.stderr or "")):
        for start in range(0, len(text), PIECE_CHARACTERS):
            _store(execution, stream, sequence, text[start : start + PIECE_CHARACTERS], now)
            sequence += 1


@transaction.atomic
def finish(
    execution_id: str, status: Status, *, fault: str = "", only: Status | None = None, now: datetime, **facts: Any
) -> bool:
    """Settle an open execution (one that is `only`, if given); False when it is not open any more."""
    found = Execution.objects.filter(pk=execution_id, status__in=[only] if only else OPEN)
    if not found.update(status=status, completed_at=now, fault=fault, **facts):
        return False
    execution = Execution.objects.select_related("batch", "instance").get(pk=execution_id)
    tell([execution], "finished", result=_result(execution))
    return True


def _result(execution: Execution) -> dict[str, Any]:
    """The result as agents tell it, for those who watch the instance; of long output the beginning."""
    stdout, stderr = queries.streams_of(queries.texts([execution], whole=False).get(execution.pk, {}))
    return {
        "command_id": str(execution.correlation_id),
        "correlationId": str(execution.correlation_id),
        "executionId": execution.pk,
        "status": execution.status,
        "stdout": stdout,
        "stderr": "\n".join(filter(None, [stderr, execution.fault])),
        "exit_code": execution.exit_code,
        "exitCode": execution.exit_code,
        "duration_ms": execution.duration_ms,
        "durationMs": execution.duration_ms,
    }


def tell(executions: Iterable[Execution], what: str, **more: Any) -> None:
    """Tell pages, streams and subscribers of the instances, after the commit, what has happened to these."""
    hint = {"kind": "command", "what": what}
    events: list[tuple[str, Any]] = [("commands", hint)]
    for execution in executions:
        about = {"instanceId": execution.instance_id, "teamId": execution.instance.team_id}
        events.append((topic(execution.batch_id), {**hint, "executionId": execution.pk}))
        events.append((f"instance:{execution.instance_id}", {**hint, **about, **more}))
    transaction.on_commit(lambda: live.publish_all(events))
