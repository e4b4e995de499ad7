"""Terminal sessions from opening to end (contract: fleet console §32.5, §33.4)."""

import uuid
from datetime import datetime
from typing import Any

from django.db import transaction
from django.utils import timezone

from config import live
from config.api.authentication import Principal
from config.api.errors import Conflict, NotFound, Unavailable
from config.api.permissions import ADMIN
from fleet.agents import calling
from fleet.instances.models import Instance
from fleet.terminals import output
from fleet.terminals.models import TerminalSession
from fleet.terminals.rights import objection, require_developer
from security.audit.services import record

Status = TerminalSession.Status
MOST_OF_A_PERSON, MOST_OF_AN_INSTANCE = 10, 20
NORMAL, GOING_AWAY = 1000, 1001
SHARED = "ws-"  # attachments of the console's common socket begin so


def start(
    *,
    instance: Instance,
    actor: Principal,
    cols: int = 80,
    rows: int = 24,
    session_id: uuid.UUID | None = None,
    request: Any = None,
    now: datetime | None = None,
) -> TerminalSession:
    """A session that the first socket will open; `session_id` is the caller's choice.

    Raises Forbidden below DEVELOPER, Unavailable when the agent is offline, Conflict above the most that may be open
    or when the id is taken.
    """
    require_developer(actor, instance)
    if not calling.connected(instance.pk):
        raise Unavailable("The agent of this instance is offline: a terminal needs a connected agent")
    return _start(
        instance=instance,
        actor=actor,
        size=(cols, rows),
        session_id=session_id or uuid.uuid4(),
        request=request,
        now=now or timezone.now(),
    )


@transaction.atomic
def _start(
    *,
    instance: Instance,
    actor: Principal,
    size: tuple[int, int],
    session_id: uuid.UUID,
    request: Any,
    now: datetime,
) -> TerminalSession:
    if TerminalSession.objects.filter(pk=session_id).exists():
        raise Conflict("There is a session with that id already")
    live_ones = TerminalSession.objects.live()
    if live_ones.filter(user_id=actor.user.pk).count() >= MOST_OF_A_PERSON:
        raise Conflict(f"You have {MOST_OF_A_PERSON} terminals open: close one first")
    if live_ones.filter(instance=instance).count() >= MOST_OF_AN_INSTANCE:
        raise Conflict(f"{instance.name} has {MOST_OF_AN_INSTANCE} terminals open: close one first")
    session = TerminalSession.objects.create(
        id=session_id,
        instance=instance,
        user=actor.user,
        user_name=actor.name,
        key_id=actor.key_id or "",
        web_session_id=actor.session_id or "",
        cols=size[0],
        rows=size[1],
        recorded=output.recording_is_on(),
        created_at=now,
        last_input_at=now,
        seen_at=now,
    )
    _tell_count(instance)
    _audit(session, "CONNECT", actor=actor, request=request)
    return session


@transaction.atomic
def attach(*, session: TerminalSession, actor: Principal, attachment: str, now: datetime | None = None) -> bool | None:
    """Show the session on that socket from now on, in place of any other.

    True when it is the first one, which has to start the shell; None when the session has ended meanwhile.
    """
    now = now or timezone.now()
    mine = TerminalSession.objects.live().filter(pk=session.pk)
    is_first = bool(mine.filter(opened_at=None).update(opened_at=now))
    taken = mine.update(
        status=Status.ACTIVE,
        attachment=attachment,
        disconnected_at=None,
        last_input_at=now,
        seen_at=now,
        key_id=actor.key_id or "",
        web_session_id=actor.session_id or "",
    )
    if not taken:
        return None
    if is_first:
        output.note_size(session, now=now)
    output.tell(session, "terminal-attached", attachment=attachment)
    _tell_count(session.instance)
    return is_first


@transaction.atomic
def detach(*, session: TerminalSession, attachment: str, now: datetime | None = None) -> bool:
    """The socket is gone; the shell lives on for a while. False when another one shows it, or when it has ended."""
    mine = TerminalSession.objects.active().filter(pk=session.pk, attachment=attachment)
    gone = mine.update(status=Status.DISCONNECTED, attachment="", disconnected_at=now or timezone.now())
    if gone:
        _tell_count(session.instance)
    return bool(gone)


def leave(*, session: TerminalSession, attachment: str) -> None:
    """As `detach`; a session that its person may not have any more ends at once."""
    if detach(session=session, attachment=attachment):
        current = TerminalSession.objects.select_related("instance", "user").get(pk=session.pk)
        if reason := objection(current):
            end(session=current, reason=reason)


def touch(*, session: TerminalSession, attachment: str, typed: bool, now: datetime | None = None) -> bool:
    """That socket still shows the session, and whether somebody typed; False when it is not its any more."""
    now = now or timezone.now()
    mine = TerminalSession.objects.active().filter(pk=session.pk, attachment=attachment)
    return bool(mine.update(seen_at=now, **({"last_input_at": now} if typed else {})))


@transaction.atomic
def resize(*, session_id: uuid.UUID, cols: int, rows: int, now: datetime | None = None) -> None:
    """Note the size of the screen, for the recording and for who comes next."""
    changed = TerminalSession.objects.live().filter(pk=session_id).exclude(cols=cols, rows=rows)
    if changed.update(cols=cols, rows=rows):
        output.note_size(TerminalSession.objects.get(pk=session_id), now=now or timezone.now())


def end(
    *,
    session: TerminalSession,
    reason: str,
    actor: Principal | None = None,
    exit_code: int | None = None,
    by_agent: bool = False,
    code: int = NORMAL,
    request: Any = None,
    now: datetime | None = None,
) -> bool:
    """Close the session for good and its shell with it; False when it had ended.

    `actor` is None for the platform itself, `by_agent` when the machine says that the shell has ended; `code` is what
    the socket is closed with.
    """
    now = now or timezone.now()
    with transaction.atomic():
        ended = (
            TerminalSession.objects.live()
            .filter(pk=session.pk)
            .update(status=Status.CLOSED, ended_at=now, reason=reason[:200], exit_code=exit_code, attachment="")
        )
        if not ended:
            return False
        session.refresh_from_db()
        output.tell(session, "terminal-closed", reason=session.reason, exitCode=exit_code, code=code)
        _tell_count(session.instance)
        facts = {"reason": session.reason, "exit_code": exit_code, "output_bytes": session.output_bytes}
        opened_at = session.opened_at or now
        facts |= {"duration_s": round((now - opened_at).total_seconds()), "recorded": session.recorded}
        _audit(session, "DISCONNECT", actor=actor, request=request, **facts)
    if not by_agent and session.opened_at:
        close_shell(session.instance_id, str(session.pk))
    return True


def close(*, instance: Instance, session_id: uuid.UUID, actor: Principal, request: Any = None) -> None:
    """End a session on that instance: one's own, or anybody's for an administrator. What has ended stays so.

    Raises NotFound for any other.
    """
    found = TerminalSession.objects.filter(pk=session_id, instance=instance).select_related("instance", "user").first()
    if found is None or not (actor.role == ADMIN or found.user_id == actor.user.pk):
        raise NotFound(f"Terminal session '{session_id}' not found")
    own = found.user_id == actor.user.pk
    reason = "closed by its user" if own else "closed by an administrator"
    end(session=found, reason=reason, actor=actor, request=request)


def close_shell(instance_id: str, session_id: str) -> None:
    """Tell the agent to end the shell of a session."""
    calling.send(instance_id, "terminal:close", {"session_id": session_id}, session_id=session_id)


def _tell_count(instance: Instance) -> None:
    """Readers of the fleet's numbers count anew (contract: fleet console §32.2, session_count)."""
    event = {"kind": "sessions", "instanceId": instance.pk, "teamId": instance.team_id}
    transaction.on_commit(lambda: live.publish("fleet", event))


def _audit(session: TerminalSession, action: str, *, actor: Principal | None, request: Any, **facts: Any) -> None:
    record(
        actor=actor,
        action=action,
        resource="terminal_session",
        resource_id=str(session.pk),
        team_id=session.instance.team_id,
        request=request,
        instance_id=session.instance_id,
        instance=session.instance.name,
        user=session.user_name,
        **facts,
    )
