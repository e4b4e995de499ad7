"""The socket of one terminal, `/ws/terminal/<session id>` (contract: fleet console §32.5)."""

import asyncio
import base64
import logging
import time
import uuid
from contextlib import AsyncExitStack
from typing import Any

from channels.db import database_sync_to_async as in_database

from config import live
from config.api.errors import ApiError, Forbidden
from config.sockets import SocketConsumer
from fleet.agents import calling
from fleet.terminals import messages, output, queries, rights, services
from fleet.terminals.screen import Screen

log = logging.getLogger(__name__)
WAITING_EVENTS = 32  # what does not fit is read from the rows
LOOK_EVERY_S = 5.0
TOUCH_EVERY_S = 20.0
MISSED_LOOKS = 2
MOST_MESSAGE_BYTES = 256 * 1024
MESSAGES_PER_S = 200
PIECE_CHARACTERS = 64 * 1024
TAKEN_OVER, UNKNOWN, OFFLINE = 4001, 4004, 4503
TOO_BIG, POLICY_VIOLATION, INTERNAL_ERROR = 1009, 1008, 1011


class TerminalConsumer(SocketConsumer):
    """Shows one session, from its last output on, and types into it."""

    async def connect(self) -> None:
        self._stack, self._tasks = AsyncExitStack(), list[asyncio.Task]()
        self._session: Any = None
        self._screen, self._attachment = Screen(), uuid.uuid4().hex
        self._typed, self._second, self._messages = False, 0.0, 0
        await self.accept()  # a browser learns the code of a close only after the handshake
        try:
            await self._open(self.scope["principal"])
        except Forbidden as refusal:
            await self.close(POLICY_VIOLATION, refusal.message[:120])
        except ApiError as refusal:
            await self.close(UNKNOWN, refusal.message[:120])

    async def _open(self, principal: Any) -> None:
        named = output.session_id_of(self.scope["url_route"]["kwargs"]["session_id"])
        session = await in_database(queries.get_own)(session_id=named, principal=principal)
        rights.require_developer(principal, session.instance)
        if not await calling.aconnected(session.instance_id):
            await self._tell("The agent of this instance is offline.\r\n")
            await self.close(OFFLINE, "The agent is offline")
            return
        self._events = await self._stack.enter_async_context(
            live.subscribe(output.topic(session.pk), size=WAITING_EVENTS)
        )
        is_first = await in_database(services.attach)(session=session, actor=principal, attachment=self._attachment)
        if is_first is None:
            await self.close(UNKNOWN, "The session has ended")
            return
        self._session = session
        if is_first:
            await self._send_agent("terminal:create", {"cols": session.cols, "rows": session.rows})
        await self._catch_up()
        self._tasks = [asyncio.create_task(self._guarded(work)) for work in (self._show(), self._look())]

    async def disconnect(self, code: int) -> None:
        for task in self._tasks:
            task.cancel()
        await self._stack.aclose()
        if self._session:
            await in_database(services.leave)(session=self._session, attachment=self._attachment)

    async def _guarded(self, work: Any) -> None:
        try:
            await work
        except OSError:  # the browser has gone; the server tells us so in a moment
            return
        except Exception:  # noqa: BLE001 - a terminal without its feed would hang: it had better reconnect
            log.exception("a terminal's socket has failed")
            await self.close(INTERNAL_ERROR)

    # --- to the browser ---------------------------------------------------------------------------------------

    async def _show(self) -> None:
        while True:
            event = (await self._events.get()).event
            if event["kind"] == "terminal-output":
                if event["start"] == self._screen.position:
                    shown = output.Shown(event["start"], base64.b64decode(event["data"]))
                    await self._tell(self._screen.take(shown))
                elif event["start"] > self._screen.position:
                    await self._catch_up()
            elif event["kind"] == "terminal-closed":
                await self._catch_up()
                await self.close(event["code"], event["reason"].encode()[:120].decode(errors="ignore"))
                return
            elif event["attachment"] != self._attachment:
                await self.close(TAKEN_OVER, "Opened in another window")
                return

    async def _catch_up(self) -> None:
        """Show what the rows hold and this socket has not shown."""
        shown = await in_database(output.since)(self._session.pk, self._screen.position)
        await self._tell(self._screen.take(shown))

    async def _look(self) -> None:
        """Notice what no event tells: the agent is gone, events were lost, this socket is not wanted any more."""
        missed, touched_at = 0, time.monotonic()
        while missed < MISSED_LOOKS:
            await asyncio.sleep(LOOK_EVERY_S)
            missed = 0 if await calling.aconnected(self._session.instance_id) else missed + 1
            if time.monotonic() - touched_at >= TOUCH_EVERY_S:
                touched_at, typed, self._typed = time.monotonic(), self._typed, False
                touch = in_database(services.touch)
                if not await touch(session=self._session, attachment=self._attachment, typed=typed):
                    await self.close(services.NORMAL, "The session has ended")
                    return
                await self._catch_up()
        await self._tell("\r\n[The agent of this instance is gone. Its shell may still run: connect again later.]\r\n")
        await self.close(services.GOING_AWAY, "The agent is gone")

    async def _tell(self, text: str) -> None:
        for start in range(0, len(text), PIECE_CHARACTERS):
            await self.send(messages.data(text[start : start + PIECE_CHARACTERS]))

    # --- from the browser -------------------------------------------------------------------------------------

    async def receive(self, text_data: str | None = None, bytes_data: bytes | None = None) -> None:
        raw = text_data.encode(errors="replace") if text_data is not None else bytes_data or b""
        if self._session is None:  # refused a moment ago
            return
        if len(raw) > MOST_MESSAGE_BYTES:
            await self.close(TOO_BIG, f"At most {MOST_MESSAGE_BYTES} bytes at once")
            return
        await self._pace()
        asked = messages.read(raw)
        if isinstance(asked, messages.Resize):
            await self._resize(asked)
        else:
            await self._type(asked)

    async def _type(self, data: bytes) -> None:
        self._typed = True
        for start in range(0, len(data), messages.INPUT_BYTES):
            piece = base64.b64encode(data[start : start + messages.INPUT_BYTES]).decode()
            await self._send_agent("terminal:input", {"data": piece})

    async def _resize(self, size: messages.Resize) -> None:
        await in_database(services.resize)(session_id=self._session.pk, cols=size.cols, rows=size.rows)
        await self._send_agent("terminal:resize", {"cols": size.cols, "rows": size.rows})

    async def _send_agent(self, kind: str, payload: dict[str, Any]) -> None:
        """Large input waits until it is on the agent's connection, so that no queue on the way can overflow."""
        name = str(self._session.pk)
        payload = {"session_id": name, **payload}
        if len(payload.get("data", "")) > 1024:
            await calling.adeliver(self._session.instance_id, kind, payload, session_id=name)
        else:
            await asyncio.to_thread(calling.send, self._session.instance_id, kind, payload, session_id=name)

    async def _pace(self) -> None:
        now = time.monotonic()
        if now - self._second > 1:
            self._second, self._messages = now, 0
        self._messages += 1
        if self._messages > MESSAGES_PER_S:
            await asyncio.sleep(self._second + 1 - now)
