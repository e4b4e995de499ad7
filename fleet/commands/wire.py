"""Executions as the API shows them (contract: fleet console §12)."""

from collections.abc import Sequence
from typing import Any

from config.api.fields import milliseconds
from fleet.commands import queries
from fleet.commands.models import Batch, Execution


def execution(row: Execution, *, whole: bool = True) -> dict[str, Any]:
    """One Execution with all that it printed, or with its beginning alone."""
    return executions([row], whole=whole)[0]


def executions(rows: Sequence[Execution], *, whole: bool = False) -> list[dict[str, Any]]:
    """Several; `outputTruncated` tells that there is, or was, more output than is shown."""
    texts = queries.texts(rows, whole=whole)
    return [_body(row, *queries.streams_of(texts.get(row.pk, {}))) for row in rows]


def _body(row: Execution, stdout: str, stderr: str) -> dict[str, Any]:
    batch = row.batch
    shown, stored = len(stdout.encode()) + len(stderr.encode()), row.stdout_bytes + row.stderr_bytes
    if row.fault:
        stderr = f"{stderr}{'' if not stderr or stderr.endswith(chr(10)) else chr(10)}{row.fault}"
    told = row.is_over or bool(stored)
    return {
        "id": row.pk,
        "instanceId": row.instance_id,
        "userId": batch.user_id,
        "command": batch.command,
        "args": batch.args,
        "env": batch.env,
        "workingDir": batch.working_dir,
        "timeoutMs": batch.timeout_ms,
        "status": row.status,
        "exitCode": row.exit_code,
        "stdout": stdout if told else None,
        "stderr": stderr if told else None,
        "durationMs": row.duration_ms,
        "correlationId": str(row.correlation_id),
        "hasScript": batch.has_script,
        "createdAt": milliseconds(row.created_at),
        "completedAt": milliseconds(row.completed_at),
        "outputTruncated": row.is_cut or shown < stored,
        "batchId": batch.pk,
        "cancelledBy": row.cancelled_by or None,
        "approval": _approval(batch),
    }


def _approval(batch: Batch) -> dict[str, Any] | None:
    """How the second person stands to it; None when none is needed."""
    if not batch.approval:
        return None
    return {
        "state": batch.approval,
        "rule": batch.approval_rule,
        "until": milliseconds(batch.approval_until),
        "decidedBy": batch.decided_by or None,
        "decidedAt": milliseconds(batch.decided_at),
        "note": batch.note or None,
    }
