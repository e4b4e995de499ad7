"""The browsers' socket `/ws` (contract: fleet console §32.1, §32.2)."""

import asyncio
from typing import Any

from channels.db import database_sync_to_async

from config import live
from config.sockets import framed
from fleet.live import asking, handlers, texts
from fleet.live.glances import Glance, glances
from fleet.live.hints import HINT_PAUSE_S, Hints
from fleet.live.messages import visible
from fleet.live.requests import MAX_TOPICS, Request, Unreadable, number_in, read
from fleet.live.sockets import LiveConsumer
from fleet.logs import recording as logs

GLANCE_PAUSE_S = 2.0
FOLLOW_S = 20.0
AGENTS_ONLY = {"heartbeat", "metrics", "events", "inventory", "llm_usage"}


class BrowserConsumer(LiveConsumer):
    """Two dialects on one socket: a console client gets the messages of the contract; a page of ours that sends
    `watch` gets hints (`{"type": "ui", "topic", "seq", "at", "kind"}`) and fetches what has changed.
    """

    async def prepare(self) -> None:
        self._subscribed: set[str] = set()  # instances whose feed a console client wants
        self._watched: set[str] = set()  # topics that a page wants hints of
        self._tailed: set[str] = set()  # instances whose log lines alone a console client wants
        self._asking = asking.Asking(self.principal)  # what other slices answer, and what that left open
        self._hints = Hints()
        self._changed = asyncio.Event()
        self._seen: Glance | None = None
        self._sessions_moved = False
        self._resubscribe()

    async def disconnect(self, code: int) -> None:
        await super().disconnect(code)
        if hasattr(self, "_asking") and self._asking.left_open:
            await database_sync_to_async(self._asking.close)()

    async def opened(self) -> None:
        """A client that comes back says with `?after=` what it heard last."""
        after = number_in(self.scope.get("query_string", b""))
        if after is not None:
            await self._resume({"fleet", "alerts"}, after)

    def _resubscribe(self) -> None:
        """Listen to what is wanted. The broad feed is for console clients: pages fetch what they show."""
        wanted = self._watched | {f"instance:{one}" for one in self._subscribed}
        wanted |= {logs.topic(one) for one in self._followed} | self._asking.topics
        if not self._watched:
            wanted |= {"fleet", "alerts"}
        self.subscription.add(*wanted)
        self.subscription.remove(*(self.subscription.topics - wanted))

    async def _resume(self, topics: set[str], after: int) -> None:
        """Tell again what these topics told after that number."""
        for topic in self.subscription.resume(topics & self.subscription.topics, after):
            await self.tell({"type": "resync", "topic": topic})

    @property
    def _followed(self) -> set[str]:
        """The instances whose log lines are sent on. A page that watches reads them by their own stream."""
        return self._tailed if self._watched else self._tailed | self._subscribed

    async def _keep_following(self) -> None:
        """Ask for the lines anew before the asking ends, as long as the instances are visible."""
        while True:
            await asyncio.sleep(FOLLOW_S)
            for one in list(self._followed):
                if not await self.may_see(one):
                    self._forget(one)
            await database_sync_to_async(logs.follow)(list(self._followed))

    def _forget(self, instance_id: str) -> None:
        self._tailed.discard(instance_id)
        self._subscribed.discard(instance_id)
        self._resubscribe()

    # --- from the browser -------------------------------------------------------------------------------------

    async def heard(self, raw: bytes) -> None:
        try:
            request = read(raw, Request)
        except Unreadable as error:
            await self._refuse("PARSE_ERROR", str(error))
            return
        if request.type == "watch":
            await self._watch(request)
        elif request.type in ("subscribe", "unsubscribe"):
            await self._subscribe(request, self._subscribed)
        elif request.type in ("log:subscribe", "log:unsubscribe"):
            await self._subscribe(request, self._tailed)
        elif request.channel in AGENTS_ONLY:
            await self._refuse("FORBIDDEN", "Only an agent's connection may send this", request)
        else:
            await self._ask(request)

    async def _ask(self, request: Request) -> None:
        """Have another slice answer."""
        answer = await self._asking.answer(request)
        if answer is None:
            return
        self._resubscribe()
        if answer.type:
            await self._reply(request.channel or "events", answer.type, answer.data, request)

    async def _refuse(self, code: str, text: str, request: Request | None = None) -> None:
        channel = (request and request.channel) or "events"
        await self._reply(channel, "error", {"code": code, "message": text}, request)

    async def _reply(self, channel: str, type: str, data: dict[str, Any], request: Request | None) -> None:
        answer: dict[str, Any] = {"channel": channel, "type": type, "data": data}
        if request and request.correlationId is not None:
            answer["correlationId"] = request.correlationId
        await self.tell(answer)

    async def _subscribe(self, request: Request, chosen: set[str]) -> None:
        """Put the instance into, or take it from, `chosen`."""
        instance_id = request.subject
        if not instance_id:
            await self._refuse("NO_INSTANCE_ID", "Say which instance", request)
            return
        if request.type.endswith("unsubscribe"):
            chosen.discard(instance_id)
        elif len(chosen) >= MAX_TOPICS:
            await self._refuse("INVALID_PAYLOAD", f"At most {MAX_TOPICS} instances at once", request)
            return
        elif await self.may_see(instance_id):
            chosen.add(instance_id)
        else:
            await self._refuse("FORBIDDEN", f"Instance '{instance_id[:128]}' is not visible to you", request)
            return
        self._resubscribe()
        if instance_id in self._followed:
            self.run_once(self._keep_following)
            await database_sync_to_async(logs.follow)([instance_id])
        if request.type in handlers.HANDLERS:
            await self._ask(request)
        if request.instanceId:
            await self._reply(request.channel or "system", "ack", {"ok": True}, request)
        if instance_id in chosen and isinstance(request.after, int | float):
            await self._resume({f"instance:{instance_id}", logs.topic(instance_id)}, int(request.after))

    async def _watch(self, request: Request) -> None:
        """Send hints of these topics from now on, and of what happened since `after`."""
        wanted = set()
        for topic in request.watched:
            kind, _, name = topic.partition(":")
            if kind != "instance" or await self.may_see(name):
                wanted.add(topic)
        self._watched = wanted
        self._resubscribe()
        self.run_once(self._send_hints)
        after = request.after if isinstance(request.after, dict) else {}
        for topic in wanted & set(after):
            if not self._hints.add_missed(topic, int(after[topic])):
                await self.tell({"type": "resync", "topic": topic})

    # --- to the browser ---------------------------------------------------------------------------------------

    async def forward(self, message: live.Message) -> None:
        topic = message.topic
        if topic in self._watched:
            self._hints.add(message)
        if topic.startswith("logs:"):
            await self.send_all(message.once(texts.lines))
        elif topic.removeprefix("instance:") in self._subscribed or topic in self._asking.topics:
            if visible(message.event, self.principal):
                await self.send_all(message.once(texts.for_subscriber))
        elif topic == "fleet" and not self._watched:
            await self._forward_fleet(message)
        elif topic == "alerts" and not self._watched and visible(message.event, self.principal):
            await self.send_all(message.once(texts.alert))

    async def _forward_fleet(self, message: live.Message) -> None:
        event = message.event
        if event["kind"] == "heartbeats":
            beats = message.once(texts.beats if message.is_again else texts.pace.due)
            mine = [beat.text for beat in beats if visible(beat.event, self.principal)]
            await self.send_all([framed(text) for text in texts.numbered(mine, message.number)])
        elif event["kind"] == "status":
            if visible(event, self.principal):
                await self.send_all(message.once(texts.status))
                self._look_again()
            elif event["instanceId"] in self._followed:  # it went to another team
                self._forget(event["instanceId"])
        elif event["kind"] == "sessions" and visible(event, self.principal):
            self._sessions_moved = True
            self._look_again()

    async def _send_hints(self) -> None:
        while True:
            await self.tell(await self._hints.next())
            await asyncio.sleep(HINT_PAUSE_S)

    def _look_again(self) -> None:
        self._changed.set()
        self.run_once(self._send_glances)

    async def _send_glances(self) -> None:
        """The fleet's numbers and places after changes, at most once in 2 s."""
        while True:
            await self._changed.wait()
            await asyncio.sleep(GLANCE_PAUSE_S)
            self._changed.clear()
            before, now = self._seen, await glances.of(self.principal)
            self._seen = now
            await self.send_all([now.stats])
            if before is None or before.pins != now.pins:
                await self.send_all([now.pins])
            if self._sessions_moved:
                self._sessions_moved = False
                await self.tell({"type": "session_count", "payload": {"active_sessions": now.active_sessions}})
