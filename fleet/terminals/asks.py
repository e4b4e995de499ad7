"""Terminals on the console's common socket, channel `terminal` (contract: fleet console §32.1).

`terminal:create` answers `terminal:created` with the `sessionId` that the other messages name; `data` is base64 both
ways. A client that can should take the socket of the terminal instead: it has replay.
"""

import base64
import binascii
from collections.abc import Callable
from typing import Any

from config.api.errors import Conflict, Invalid
from config.api.permissions import DEVELOPER
from fleet.agents import calling
from fleet.agents.frames import console
from fleet.live.handlers import Answer, Ask, asked, told
from fleet.terminals import messages, output, queries, services
from fleet.terminals.models import TerminalSession


@asked("terminal:create", role=DEVELOPER)
def create(ask: Ask) -> Answer:
    size = messages.size_of(ask.data)
    chosen = ask.data.get("sessionId")
    named = None if chosen is None else output.session_id_of(chosen)
    if named == output.NOBODY:
        raise Invalid("sessionId must be a UUID")
    session = services.start(
        instance=ask.instance, actor=ask.principal, cols=size.cols, rows=size.rows, session_id=named
    )
    attachment = f"{services.SHARED}{ask.socket_id}"[:32]
    if services.attach(session=session, actor=ask.principal, attachment=attachment) is None:
        raise Conflict("The session has ended")
    _send(session, "terminal:create", {"cols": size.cols, "rows": size.rows})
    return Answer(
        "terminal:created",
        {"sessionId": str(session.pk)},
        hear=(output.topic(session.pk),),
        name=str(session.pk),
        undo=_leave(session, attachment),
    )


def _leave(session: TerminalSession, attachment: str) -> Callable[[], None]:
    return lambda: services.leave(session=session, attachment=attachment)


@asked("terminal:data", "terminal:input", role=DEVELOPER)
def type_into(ask: Ask) -> None:
    session = _own(ask)
    try:
        data = base64.b64decode(ask.data.get("data") or "", validate=True)
    except (TypeError, ValueError, binascii.Error):
        raise Invalid("data is not base64") from None
    services.touch(session=session, attachment=session.attachment, typed=True)
    for start in range(0, len(data), messages.INPUT_BYTES):
        piece = base64.b64encode(data[start : start + messages.INPUT_BYTES]).decode()
        _send(session, "terminal:input", {"data": piece})


@asked("terminal:resize", role=DEVELOPER)
def resize(ask: Ask) -> None:
    session, size = _own(ask), messages.size_of(ask.data)
    services.resize(session_id=session.pk, cols=size.cols, rows=size.rows)
    _send(session, "terminal:resize", {"cols": size.cols, "rows": size.rows})


@asked("terminal:close", role=DEVELOPER)
def close(ask: Ask) -> Answer:
    session = _own(ask)
    services.end(session=session, reason="closed by its user", actor=ask.principal)
    return Answer(name=str(session.pk))


def _own(ask: Ask) -> TerminalSession:
    """The session that this very connection opened."""
    session = queries.get_own(session_id=output.session_id_of(ask.data.get("sessionId")), principal=ask.principal)
    if session.attachment != f"{services.SHARED}{ask.socket_id}"[:32] or session.instance_id != ask.instance.pk:
        raise Conflict("The session is shown on another connection")
    return session


def _send(session: TerminalSession, kind: str, payload: dict[str, Any]) -> None:
    name = str(session.pk)
    calling.send(session.instance_id, kind, {"session_id": name, **payload}, session_id=name)


@told("terminal-output")
def shown(event: dict[str, Any]) -> list[dict[str, Any]]:
    data = {"sessionId": event["sessionId"], "data": event["data"]}
    return [console("terminal", "terminal:data", event["instanceId"], data)]


@told("terminal-closed")
def ended(event: dict[str, Any]) -> list[dict[str, Any]]:
    data = {"sessionId": event["sessionId"], "exitCode": event["exitCode"], "reason": event["reason"]}
    return [console("terminal", "terminal:close", event["instanceId"], data)]
