"""What is done with each type of frame that the server sends (contract: fleet console §31.5).

A handler takes the parts of the agent and the frame's body, with the envelope's `session_id` in it. Frames are
handled one after the other: what takes long starts a task of its own.
"""

from __future__ import annotations

import logging
import time
from collections.abc import Awaitable, Callable
from typing import Any

from pharos_agent import inventory, logs_asked, upkeep
from pharos_agent.logs import readable
from pharos_agent.parts import Parts
from pharos_agent.threads import in_thread

log = logging.getLogger(__name__)

ERROR_LOG_PAUSE_S = 60.0

Body = dict[str, Any]
Handler = Callable[[Parts, Body], Awaitable[None]]


def text_of(value: Any, limit: int = 128) -> str:
    """A name or sentence from a frame; empty when it is something else, which could be of any depth."""
    return str(value)[:limit] if isinstance(value, (str, int)) else ""


async def run_command(parts: Parts, body: Body) -> None:
    parts.commands.dispatch(body)


async def cancel_command(parts: Parts, body: Body) -> None:
    parts.commands.cancel(text_of(body.get("command_id")))


async def forget_command(parts: Parts, body: Body) -> None:
    parts.commands.received(text_of(body.get("command_id")), body.get("sequence"))


async def open_terminal(parts: Parts, body: Body) -> None:
    await parts.terminals.create(text_of(body.get("session_id")), body.get("cols"), body.get("rows"))


async def type_into_terminal(parts: Parts, body: Body) -> None:
    parts.terminals.type_into(text_of(body.get("session_id")), body.get("data"))


async def resize_terminal(parts: Parts, body: Body) -> None:
    parts.terminals.resize(text_of(body.get("session_id")), body.get("cols"), body.get("rows"))


async def close_terminal(parts: Parts, body: Body) -> None:
    parts.terminals.end(text_of(body.get("session_id")))


async def report_inventory(parts: Parts, body: Body) -> None:
    parts.stocktaking.ask()  # its answer comes when it is found, as frames of its own
    await parts.send("inventory", await in_thread(inventory.describe, parts.outbox.processes))


async def note_error(parts: Parts, body: Body) -> None:
    """Log an error the server reports; the same one at most once a minute."""
    code, now, logged_at = readable(text_of(body.get("code"))), time.monotonic(), parts.errors_logged_at
    if now - logged_at.get(code, -ERROR_LOG_PAUSE_S) < ERROR_LOG_PAUSE_S:
        return
    if len(logged_at) >= 100:  # codes come from outside: keep few
        logged_at.clear()
    logged_at[code] = now
    log.warning("the server reports %s: %s", code, readable(text_of(body.get("message"))))


HANDLERS: dict[str, Handler] = {
    "command:dispatch": run_command,
    "command:cancel": cancel_command,
    "command:received": forget_command,
    "terminal:create": open_terminal,
    "terminal:input": type_into_terminal,
    "terminal:resize": resize_terminal,
    "terminal:close": close_terminal,
    "inventory:request": report_inventory,
    "log:subscribe": logs_asked.follow,
    "log:unsubscribe": logs_asked.leave,
    "log:sources": logs_asked.list_sources,
    "log:file": logs_asked.read_file,
    "service:control": upkeep.control_service,
    "backup:start": upkeep.start_backup,
    "backup:look": upkeep.look_at_backup,
    "error": note_error,
}


async def handle(parts: Parts, frame: dict[str, Any]) -> None:
    """Do what the frame asks for; of a type that is not known, only note it."""
    kind = text_of(frame.get("type"))
    if handler := HANDLERS.get(kind):
        body = frame.get("payload", frame.get("data"))
        await handler(parts, {"session_id": frame.get("session_id"), **(body if isinstance(body, dict) else {})})
    elif kind != "heartbeat:pong":
        log.debug("ignored a message of type %s", readable(kind))
