"""The agents' socket `/ws/agent` (contract: fleet console §31)."""

import asyncio
import logging
import time
import uuid
from contextlib import suppress
from datetime import datetime
from typing import Any

from channels.db import database_sync_to_async
from django.utils import timezone

from config import live
from config.api.errors import ApiError, Forbidden, Invalid, NotFound, TooMany, Unavailable
from config.sockets import SocketConsumer, take_at_once
from fleet.agents import answers, calling, frames, installed, lines, reports, services, shapes
from fleet.agents.budget import budget
from fleet.agents.frames import Frame
from fleet.agents.inbox import Inbox, inbox
from fleet.logs import services as logs
from fleet.metrics import services as metrics

log = logging.getLogger(__name__)
BIND_WITHIN_S = 60
QUEUED_FRAMES = 32
FRAMES_PER_S = 200
POLICY_VIOLATION, TOO_BIG, GOING_AWAY = 1008, 1009, 1001
CODES = {Invalid: "INVALID_PAYLOAD", Forbidden: "FORBIDDEN", TooMany: "RATE_LIMITED", Unavailable: "UNAVAILABLE"}
# What somebody asked for is no ingest: nothing of it may be refused, so what comes faster waits in the agent's buffers.
ANSWERED_BYTES_PER_S = 2 * 1024 * 1024
WAITING_EVENTS = 256  # for the agent: frames of at most 60 KiB

read_report = reports.reader(shapes.Report)
read_inventory = reports.reader(shapes.Inventory)
read_happening = reports.reader(shapes.Happening)
read_line, read_lines = reports.reader(shapes.LogLine), reports.reader(shapes.LogLines)
read_object = reports.reader(dict[str, Any])


class AgentConsumer(SocketConsumer):
    """One agent's connection. It speaks for one instance from the first message that names it."""

    async def connect(self) -> None:
        self._principal = self.scope["principal"]
        self._bound: services.Bound | None = None
        self._inbox: Inbox | None = None
        self._queue: list[tuple[Frame, int]] = []
        self._facts: dict[str, Any] = {}
        self._gathering = installed.Gathering()
        self._second, self._frames = 0.0, 0
        self._listener: live.Listener | None = None
        self._joining: asyncio.Task | None = None
        self._deadline: asyncio.TimerHandle | None = None
        if not services.may_speak(self._principal):
            await self.close(POLICY_VIOLATION)
            return
        await self.accept()
        names = [value for name, value in self.scope["headers"] if name.lower() == b"x-instance-id"]
        if names and names[0]:
            await self._bind(names[0].decode("latin-1"))
        else:
            self._deadline = asyncio.get_running_loop().call_later(BIND_WITHIN_S, self._give_up)

    def _give_up(self) -> None:
        self._closing = asyncio.ensure_future(self.close(POLICY_VIOLATION, "No instance ID was sent in time"))

    async def disconnect(self, code: int) -> None:
        if self._deadline:
            self._deadline.cancel()
        if self._joining:
            self._joining.cancel()
        if self._listener:
            self._listener.close()
        if self._inbox:
            self._inbox.read()  # the last samples of this one are not kept waiting

    async def receive(self, text_data: str | None = None, bytes_data: bytes | None = None) -> None:
        raw = text_data.encode() if text_data is not None else bytes_data or b""
        if len(raw) > frames.MAX_FRAME_BYTES:
            await self.close(TOO_BIG, f"A frame has at most {frames.MAX_FRAME_BYTES} bytes")
            return
        if pause := self._pace():
            await asyncio.sleep(pause)
        try:
            frame = frames.read(raw)
        except frames.Unreadable as error:
            await self.send(frames.error("PARSE_ERROR", str(error)))
            return
        if self._bound:
            await self._handle(frame, len(raw))
        elif reference := frames.named_instance(frame):
            await self._bind(reference)
            await self._handle(frame, len(raw))
        elif len(self._queue) < QUEUED_FRAMES:
            self._queue.append((frame, len(raw)))
        else:
            await self.send(frames.error("NO_INSTANCE_ID", "Say first which instance this is", frame=frame))

    def _take(self, raw: bytes) -> bool:
        """Take a sample that gets no answer, unless something is wrong with it, or it came too fast."""
        if self._frames >= FRAMES_PER_S or len(raw) > frames.MAX_FRAME_BYTES or self._bound is None:
            return False
        try:
            frame = frames.read(raw)
        except frames.Unreadable:
            return False
        if frame.may_wait:
            self._pace()
            self._inbox.put(self, frame)
        return frame.may_wait

    def _pace(self) -> float:
        """Seconds until the next frame may be read: what comes faster waits in the sender's own buffers."""
        now = time.monotonic()
        if now - self._second > 1:
            self._second, self._frames = now, 0
        self._frames += 1
        if self._frames <= FRAMES_PER_S:
            return 0.0
        pause = self._second + 1 - now
        self._second, self._frames = now + pause, 1
        return pause

    async def _bind(self, reference: str) -> None:
        """Speak for that instance from now on, or close the connection."""
        try:
            bound = await database_sync_to_async(services.bind)(reference=reference, principal=self._principal)
        except (NotFound, Forbidden) as refusal:
            await self.close(POLICY_VIOLATION, _reason(refusal.message))
            return
        self._bound = bound
        self._inbox = inbox()
        take_at_once(self.scope, self._take)
        if self._deadline:
            self._deadline.cancel()
        self._joining = asyncio.create_task(self._listen(bound.instance_id))
        # The connection itself is a sign of life.
        now = timezone.now()
        metrics.queue([metrics.checked(metrics.Beat(instance_id=bound.instance_id, at=now), now=now)])
        queued, self._queue = self._queue, []
        for frame, size in queued:
            await self._handle(frame, size)

    async def _listen(self, instance_id: str) -> None:
        """Put on the wire what `calling` publishes for this instance, until a newer connection speaks for it."""
        self._since = [time.time_ns(), uuid.uuid4().hex]
        topic = calling.topic(instance_id)
        self._listener = await live.listen(topic, self._heard, size=WAITING_EVENTS)
        await asyncio.to_thread(live.publish, topic, self._since)  # other connections, in any process, go now
        self._joining = None

    async def _heard(self, message: live.Message) -> None:
        event = message.event
        if event == calling.GONE:
            await self._hang_up(POLICY_VIOLATION, "This instance was destroyed")
        elif isinstance(event, dict):
            await self._pass_on(event)
        elif list(event) > self._since:
            await self._hang_up(GOING_AWAY, "Replaced by new connection")

    async def _hang_up(self, code: int, reason: str) -> None:
        self._listener.close()
        await self.close(code, reason)

    async def _pass_on(self, event: dict[str, Any]) -> None:
        if text := event.get("text"):
            await self.send(text)
        if receipt := event.get("receipt"):
            await asyncio.to_thread(live.publish, answers.topic(receipt), {"kind": "receipt"})

    async def _handle(self, frame: Frame, size: int) -> None:
        if self._bound is None:  # refused a moment ago; what still comes is not heard
            return
        handler = HANDLERS.get(frame.kind)
        try:
            if answered := answers.function_for(frame.kind):
                await self._answer(answered, frame)
                await asyncio.sleep(size / ANSWERED_BYTES_PER_S)
                return
            if frame.may_wait:
                self._inbox.put(self, frame)
                return
            budget.take(self._bound.instance_id, size)
            if handler:
                await handler(self, frame)
            else:
                log.debug("ignored a frame of type %.64r", frame.kind)
        except ApiError as error:
            await self.send(_refusal(frame, error))
        except Exception:  # noqa: BLE001 - one frame's fault must not cost the agent its connection
            log.exception("a frame of type %.64r could not be handled", frame.kind)
            await self.send(frames.error("HANDLER_ERROR", "The frame could not be handled", frame=frame))

    async def _answer(self, answered: answers.Answered, frame: Frame) -> None:
        """Hand the frame's body to the slice that waits for such; what its envelope names is in the body, too."""
        named = {"session_id": frame.session_id, "correlationId": frame.correlation_id}
        body = {name: value for name, value in named.items() if value is not None} | read_object(frame.body)
        if {body.get("instance_id"), body.get("instanceId")} - {None, "", *self._bound.names}:
            raise Forbidden("This connection speaks for another instance")
        if not asyncio.iscoroutinefunction(answered):
            answered = database_sync_to_async(answered)
        await answered(self._bound.instance_id, body)

    def _own(self, body: Any) -> str:
        """Our id of the instance; raises Forbidden when the body names another one."""
        named = body.instance_id or body.speaks_for
        if named and named not in self._bound.names:
            raise Forbidden("This connection speaks for another instance")
        return self._bound.instance_id

    async def _heartbeat(self, frame: Frame) -> None:
        now = timezone.now()
        report = read_report(frame.body)
        beat = metrics.checked(reports.beat_of(report, instance_id=self._own(report), now=now), now=now)
        metrics.queue([beat])
        name = frame.speaks_for if frame.speaks_for in self._bound.names else beat.instance_id
        await self.send(frames.pong(name, frame))
        facts = reports.facts_of(report)
        if facts and facts != self._facts:
            await database_sync_to_async(services.refresh)(instance_id=beat.instance_id, facts=facts)
            self._facts = facts

    async def _metrics(self, frame: Frame) -> None:
        metrics.queue([self._beat_in(frame, now=timezone.now())])
        await self.send(frames.acknowledgement(frame))

    def beat_in(self, frame: Frame, *, now: datetime) -> metrics.Beat:
        """The sample in a frame that waited in the inbox, checked. Raises Invalid, Forbidden or TooMany."""
        budget.take(self._bound.instance_id, len(memoryview(frame.body)))
        return self._beat_in(frame, now=now)

    def _beat_in(self, frame: Frame, *, now: datetime) -> metrics.Beat:
        report = read_report(frame.body)
        beat = reports.beat_of(report, instance_id=self._own(report), now=now)
        if beat.sample is None:
            raise Invalid("The sample holds no figure")
        return metrics.checked(beat, now=now)

    def refuse(self, frame: Frame, error: ApiError) -> None:
        """Tell the agent what is wrong with a frame that was handled later."""
        self._refusing = asyncio.ensure_future(self._tell(_refusal(frame, error)))

    async def _tell(self, text: str) -> None:
        with suppress(OSError, RuntimeError):  # the connection has ended meanwhile
            await self.send(text)

    async def _log_line(self, frame: Frame) -> None:
        line = read_line(frame.body)
        logs.accept(lines.entries_of([line], instance_id=self._own(line), now=timezone.now()))

    async def _log_batch(self, frame: Frame) -> None:
        batch = read_lines(frame.body)
        logs.accept(lines.entries_of(batch.lines, instance_id=self._own(batch), now=timezone.now(), path=batch.path))

    async def _event(self, frame: Frame) -> None:
        happening = read_happening(frame.body)
        instance_id = self._own(happening)
        await database_sync_to_async(services.note_happening)(instance_id=instance_id, happening=happening)

    async def _registration(self, frame: Frame) -> None:
        body = read_object(frame.body)
        await database_sync_to_async(services.refresh_registration)(instance_id=self._bound.instance_id, body=body)

    async def _inventory(self, frame: Frame) -> None:
        inventory = read_inventory(frame.body)
        instance_id, told = self._own(inventory), self._gathering.add(inventory)
        if inventory.processes is not None or inventory.extensions is not None:
            await database_sync_to_async(services.store_inventory)(
                instance_id=instance_id, processes=inventory.processes, extensions=inventory.extensions
            )
        if told and installed.tells(told):
            await database_sync_to_async(installed.tell)(instance_id=instance_id, report=told, now=timezone.now())


HANDLERS = {
    "heartbeat": AgentConsumer._heartbeat,
    "metrics": AgentConsumer._metrics,
    "log:line": AgentConsumer._log_line,
    "log:batch": AgentConsumer._log_batch,
    "event": AgentConsumer._event,
    "registration": AgentConsumer._registration,
    "inventory": AgentConsumer._inventory,
}


def _refusal(frame: Frame, error: ApiError) -> str:
    return frames.error(CODES.get(type(error), "HANDLER_ERROR"), error.message, frame=frame)


def _reason(text: str) -> str:
    """A close frame has room for 123 bytes."""
    return text.encode()[:120].decode("utf-8", "ignore")
