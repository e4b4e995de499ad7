"""What a command prints, as it comes: server-sent events that resume where they broke off."""

import asyncio
from collections.abc import AsyncGenerator
from typing import Any

import msgspec

from config import live
from config.api.authentication import Principal
from config.api.fields import milliseconds
from config.api.permissions import VIEWER
from config.api.scopes import FLEET_READ
from config.streams import StreamView, event, query
from fleet.commands import queries, recording, wire
from fleet.commands.models import Execution, Output, Stream
from security.tickets import services as tickets
from security.tickets.watch import watch

LOOK_EVERY_S = 5.0


class CommandStream(StreamView):
    """`output` events from the start or after `Last-Event-ID`, then one `result` with the execution, and the end."""

    roles = {"get": VIEWER}

    async def open(self, request: Any, id: str = "", **kwargs: str) -> AsyncGenerator[str, None]:
        principal = request.principal
        execution = await query(lambda: queries.get_visible(execution_id=id, principal=principal))
        last = request.headers.get("Last-Event-ID", "")
        return follow(execution, principal, after=int(last) if last.isdecimal() and len(last) < 19 else 0)

    def _admit(self, request: Any) -> None:
        """A browser's EventSource can set no header, so a ticket will do."""
        if ticket := request.GET.get("ticket"):
            request.principal, request.refusal = tickets.redeem(ticket, scope=FLEET_READ), None
        super()._admit(request)


async def follow(execution: Execution, principal: Principal, *, after: int) -> AsyncGenerator[str, None]:
    """Chunks of the stream. Rows are the truth; events only tell when to look again."""
    async with live.subscribe(recording.topic(execution.batch_id), size=1) as news, watch(principal) as ended:
        while not ended.is_set():
            row = await query(Execution.objects.select_related("batch", "instance").filter(pk=execution.pk).first)
            pieces = await query(lambda: queries.pieces(execution, after=after))  # noqa: B023 - awaited at once
            for piece in pieces:
                after = piece.pk
                yield event(_piece(piece), name="output", number=piece.pk)
            if len(pieces) == queries.MOST_PIECES:
                continue
            if row is None or row.is_over:
                if row is not None:
                    yield event(await query(_result, row), name="result")
                return
            yield ""
            try:
                async with asyncio.timeout(LOOK_EVERY_S):
                    await news.get()
            except TimeoutError:
                continue


def _piece(piece: Output) -> str:
    body = {
        "sequence": piece.sequence,
        "stream": Stream(piece.stream).label,
        "data": piece.text,
        "timestamp": milliseconds(piece.at),
    }
    return msgspec.json.encode(body).decode()


def _result(row: Execution) -> str:
    """The execution without its output, which went before."""
    return msgspec.json.encode({**wire.execution(row, whole=False), "stdout": None, "stderr": row.fault}).decode()
