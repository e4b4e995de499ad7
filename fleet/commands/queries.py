"""Reads of commands (contract: fleet console §12)."""

from collections import defaultdict
from collections.abc import Sequence

from django.db.models import Q

from config.api.authentication import Principal
from config.api.errors import Malformed, NotFound
from fleet.commands.models import Batch, Execution, ExecutionQuerySet, Output, Stream
from fleet.instances import queries as instances

MOST_PIECES = 500
LISTED_BYTES = 16 * 1024  # what printed no more is shown whole in lists
LISTED_PIECES = 2  # of what printed more


def get_visible(*, execution_id: str, principal: Principal | None) -> Execution:
    """The execution if the caller may see its instance. Raises Malformed for an impossible id, else NotFound."""
    if len(execution_id) > 128 or "\x00" in execution_id:
        raise Malformed("Invalid command ID")
    rows = Execution.objects.visible_to(principal).select_related("batch", "instance")
    execution = rows.filter(pk=execution_id).first()
    if execution is None:
        raise NotFound(f"Command '{execution_id}' not found")
    return execution


def get_batch(*, batch_id: str, principal: Principal | None) -> tuple[Batch, list[Execution]]:
    """A batch with those of its executions that the caller may see; also found by the id of one. Raises NotFound."""
    visible = Execution.objects.visible_to(principal).select_related("batch", "instance")
    if not (found := visible.filter(Q(batch_id=batch_id) | Q(pk=batch_id)).first()):
        raise NotFound(f"Command '{batch_id[:128]}' not found")
    return found.batch, list(visible.filter(batch_id=found.batch_id).order_by("instance__name", "pk"))


def history(
    principal: Principal | None, *, instance_id: str = "", status: str = "", search: str = "", approval: str = ""
) -> ExecutionQuerySet:
    """Executions that the caller may see, newest first. Raises NotFound for an instance it may not see."""
    rows = Execution.objects.visible_to(principal).select_related("batch", "instance").newest_first()
    if instance_id:
        rows = rows.filter(instance=instances.get_visible(instance_id=instance_id, principal=principal))
    if status:
        rows = rows.filter(status=status)
    if approval:
        rows = rows.filter(batch__approval=approval)
    if search:
        rows = rows.filter(
            Q(batch__command__icontains=search)
            | Q(batch__asked_by__icontains=search)
            | Q(instance__name__icontains=search)
        )
    return rows


def texts(executions: Sequence[Execution], *, whole: bool) -> dict[str, dict[int, str]]:
    """What each printed, by execution and stream; in a list (not `whole`) only the first pieces of long output."""
    rows = Output.objects.filter(execution__in=[execution.pk for execution in executions])
    if not whole:
        short = [one.pk for one in executions if one.stdout_bytes + one.stderr_bytes <= LISTED_BYTES]
        rows = rows.filter(Q(execution__in=short) | Q(sequence__lt=LISTED_PIECES))
    found: dict[str, dict[int, list[str]]] = defaultdict(lambda: defaultdict(list))
    for key, stream, text in rows.order_by("execution_id", "sequence").values_list("execution_id", "stream", "text"):
        found[key][stream].append(text)
    return {key: {stream: "".join(parts) for stream, parts in streams.items()} for key, streams in found.items()}


def pieces(execution: Execution, *, after: int = 0, limit: int = MOST_PIECES) -> list[Output]:
    """Output in the order in which it was stored, after the piece with that key."""
    return list(Output.objects.filter(execution=execution, pk__gt=after).order_by("pk")[:limit])


def streams_of(text: dict[int, str]) -> tuple[str, str]:
    return text.get(Stream.STDOUT, ""), text.get(Stream.STDERR, "")
