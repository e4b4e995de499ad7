"""Following logs: lines as they come, as server-sent events (contract: fleet console §8)."""

import asyncio
import time
from collections.abc import AsyncGenerator
from typing import Any

import msgspec
from django.utils import timezone

from config import live
from config.api.authentication import Principal
from config.api.errors import Malformed
from config.api.fields import milliseconds
from config.api.permissions import VIEWER
from config.api.scopes import FLEET_READ
from config.streams import StreamView, query
from fleet.instances.queries import get_visible
from fleet.logs import queries, recording
from security.tickets import services as tickets
from security.tickets.watch import watch

MOST_INSTANCES = 200
BACKLOG_EVENTS = 25  # of at most 200 lines each: about a mebibyte
RENEW_S, QUIET_S = 20.0, 5.0


class LogStream(StreamView):
    """The lines of one instance, or of those in `instanceIds`, from now on or after `Last-Event-ID`."""

    roles = {"get": VIEWER}

    async def open(self, request: Any, id: str | None = None, **kwargs: str) -> AsyncGenerator[str, None]:
        ids = [id] if id else [one for one in request.GET.get("instanceIds", "").split(",") if one]
        if not ids:
            raise Malformed("instanceIds is required")
        if len(ids) > MOST_INSTANCES:
            raise Malformed(f"At most {MOST_INSTANCES} instances can be followed at once")
        principal = request.principal
        known = await query(lambda: [get_visible(instance_id=one, principal=principal).pk for one in ids])
        return tail(known, principal, last_seen=request.headers.get("Last-Event-ID", ""))

    def _admit(self, request: Any) -> None:
        """A browser's EventSource can set no header, so a ticket will do."""
        if ticket := request.GET.get("ticket"):
            request.principal, request.refusal = tickets.redeem(ticket, scope=FLEET_READ), None
        super()._admit(request)


async def tail(instance_ids: list[str], principal: Principal, *, last_seen: str = "") -> AsyncGenerator[str, None]:
    """Chunks of the stream. It ends when the caller's access does, or with `overflow` when the reader is too slow."""
    topics = [recording.topic(one) for one in instance_ids]
    async with live.subscribe(*topics, size=BACKLOG_EVENTS) as lines, watch(principal) as ended:
        await query(recording.follow, instance_ids)
        renew_at = time.monotonic() + RENEW_S
        yield _event(_greeting(instance_ids))
        shown = set[str]()
        for entry in await query(queries.after, last_seen, instance_ids) if last_seen else []:
            shown.add(entry.id)
            yield _event(entry.wire())
        while not ended.is_set():
            if time.monotonic() >= renew_at:
                await query(recording.follow, instance_ids)
                renew_at = time.monotonic() + RENEW_S
            try:
                async with asyncio.timeout(QUIET_S):
                    message = await lines.get()
            except TimeoutError:
                yield ""
                continue
            if lines.queue.take_dropped():
                yield _event({"type": "overflow"})
                return
            yield "".join(_event(entry) for entry in message.event["entries"] if entry["id"] not in shown)


def _greeting(instance_ids: list[str]) -> dict[str, Any]:
    several = {"instanceIds": instance_ids} if len(instance_ids) > 1 else {}
    now = milliseconds(timezone.now())
    return {"type": "connected", "instanceId": instance_ids[0], "timestamp": now} | several


def _event(body: dict[str, Any]) -> str:
    """An unnamed event; a line's id is where a reader resumes."""
    number = f"id: {body['id']}\n" if "id" in body else ""
    return f"{number}data: {msgspec.json.encode(body).decode()}\n\n"
