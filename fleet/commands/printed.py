"""What commands printed, as pages show it: pieces of both streams in the order in which they came."""

from collections import Counter
from collections.abc import Iterator, Sequence
from itertools import groupby
from typing import Any

from fleet.commands.models import Approval, Batch, Execution, Output, Status, Stream

SHOWN_CHARACTERS = 64_000  # on a page, of all targets together
LEAST_CHARACTERS = 2_000  # of each target


def targets(executions: Sequence[Execution]) -> list[dict[str, Any]]:
    """Each execution with the end of what it printed: `parts` of one stream each."""
    most = max(LEAST_CHARACTERS, SHOWN_CHARACTERS // max(1, len(executions)))
    return [_target(execution, most) for execution in executions]


def _target(execution: Execution, most: int) -> dict[str, Any]:
    pieces, size = [], 0
    for stream, text in execution.output.order_by("-sequence").values_list("stream", "text").iterator(chunk_size=50):
        pieces.append((stream, text[-(most - size) :]))
        size += len(text)
        if size >= most:
            break
    pieces.reverse()
    parts = [
        {"stream": Stream(stream).label, "text": "".join(text for _, text in group)}
        for stream, group in groupby(pieces, key=lambda piece: piece[0])
    ]
    return {
        "execution": execution,
        "parts": parts,
        "text": "".join(text for _, text in pieces),
        "left_out": size > most,
        "size": execution.stdout_bytes + execution.stderr_bytes,
    }


def whole(execution: Execution) -> str:
    """Everything, as text; lines of stderr carry their name."""
    return "".join(_lines(execution)) + (f"[platform] {execution.fault}\n" if execution.fault else "")


def _lines(execution: Execution) -> Iterator[str]:
    rows = Output.objects.filter(execution=execution).order_by("sequence").values_list("stream", "text")
    for stream, group in groupby(rows, key=lambda piece: piece[0]):
        text = "".join(text for _, text in group)
        if stream == Stream.STDOUT:
            yield text if text.endswith("\n") else f"{text}\n"
        else:
            yield from (f"[stderr] {line}\n" for line in text.splitlines())


def state(batch: Batch, executions: Sequence[Execution]) -> tuple[str, str]:
    """Kind and value of the word for all together: the worst that is true of them, with how many."""
    if batch.approval in (Approval.WAITING, Approval.REJECTED, Approval.EXPIRED):
        return "approval", batch.approval
    counts = Counter(execution.status for execution in executions)
    for status in (Status.RUNNING, Status.PENDING, Status.TIMEOUT, Status.FAILED):
        if counts[status]:
            return "command", status
    return "command", Status.SUCCEEDED
