"""What agents say about their terminals (contract: fleet console §31.3, §31.5)."""

import base64
import binascii
from datetime import timedelta
from typing import Any

from django.db import transaction
from django.utils import timezone

from config.api.authentication import Principal
from config.api.errors import Invalid
from fleet.agents import answers
from fleet.terminals import output, services
from fleet.terminals.models import TerminalSession

MOST_OUTPUT_BYTES = 256 * 1024
MOST_SESSIONS = 1000
ON_ITS_WAY = timedelta(seconds=5)  # a shell that was asked for so lately may not have been in the agent's list yet


def _named(body: dict[str, Any]) -> str:
    """The session that a frame is about, in either dialect."""
    named = body.get("session_id") or body.get("sessionId")
    return named[:64] if isinstance(named, str) else ""


def _live(instance_id: str, named: str) -> TerminalSession | None:
    """The session of that name if it is the instance's own and has not ended."""
    own = TerminalSession.objects.live().filter(instance_id=instance_id).select_related("instance", "user")
    return own.filter(pk=output.session_id_of(named)).first()


def put_out(instance_id: str, body: dict[str, Any]) -> None:
    """Output of a shell, in base64. A shell that has no session any more is told to end. Raises Invalid."""
    try:
        data = base64.b64decode(body.get("data") or "", validate=True)
    except (TypeError, ValueError, binascii.Error):
        raise Invalid("data is not base64") from None
    if len(data) > MOST_OUTPUT_BYTES:
        raise Invalid(f"At most {MOST_OUTPUT_BYTES} bytes of output fit into a frame")
    named = _named(body)
    with transaction.atomic():
        rows = TerminalSession.objects.select_for_update(of=("self",)).live().filter(instance_id=instance_id)
        session = rows.select_related("instance").filter(pk=output.session_id_of(named)).first()
        if session and data:
            output.take(session=session, data=data)
    if session is None and named:
        services.close_shell(instance_id, named)


def closed(instance_id: str, body: dict[str, Any]) -> None:
    """A shell has ended, or could not be started."""
    if session := _live(instance_id, _named(body)):
        exit_code, said = body.get("exit_code", body.get("exitCode")), body.get("reason")
        exit_code = exit_code if isinstance(exit_code, int) and abs(exit_code) < 2**31 else None
        reason = said.replace("\x00", "") if isinstance(said, str) and said else f"the shell ended with {exit_code}"
        person = Principal(user=session.user) if session.user else None
        services.end(session=session, reason=reason, exit_code=exit_code, by_agent=True, actor=person)


def running(instance_id: str, body: dict[str, Any]) -> None:
    """The shells that an agent runs, told after it has connected: what only one side knows is ended."""
    listed = body.get("session_ids")
    named = {one for one in listed[:MOST_SESSIONS] if isinstance(one, str)} if isinstance(listed, list) else set()
    opened = TerminalSession.objects.live().filter(instance_id=instance_id, opened_at__isnull=False)
    known = {str(session.pk): session for session in opened.select_related("instance", "user")}
    settled = timezone.now() - ON_ITS_WAY
    for name, session in known.items():
        if name not in named and session.opened_at < settled:
            reason = "the agent was restarted, and its shells with it"
            services.end(session=session, reason=reason, by_agent=True, code=services.GOING_AWAY)
    for name in named - set(known):
        services.close_shell(instance_id, name[:64])


answers.on("terminal:output", put_out)
answers.on("terminal:closed", closed)
answers.on("terminal:sessions", running)
