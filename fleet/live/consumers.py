"""The browsers' sockets: `/ws` and `/ws/metrics/stream` (contract: fleet console §32)."""

import asyncio
import time
from typing import Any
from urllib.parse import parse_qs

from channels.db import database_sync_to_async

from config import live
from config.api.permissions import DEVELOPER
from fleet.live import messages
from fleet.live.requests import MAX_TOPICS, Request, Selection, Unreadable, read
from fleet.live.sockets import LiveConsumer
from fleet.overview.queries import glance

HINT_PAUSE_S = 0.1
HEARTBEAT_PAUSE_S = 5.0
GLANCE_PAUSE_S = 2.0
AGENTS_ONLY = {"heartbeat", "metrics", "events", "inventory", "llm_usage"}
FOR_DEVELOPERS = {"commands", "terminal", "filesystem"}


class BrowserConsumer(LiveConsumer):
    """Two dialects on one socket: a console client gets the messages of the contract; a page of ours that sends
    `watch` gets hints (`{"type": "ui", "topic", "seq", "at", "kind"}`) and fetches what has changed.
    """

    async def prepare(self) -> None:
        self._subscribed: set[str] = set()  # instances whose feed a console client wants
        self._watched: set[str] = set()  # topics that a page wants hints of
        self._hints: dict[str, dict[str, Any]] = {}
        self._hinted, self._changed = asyncio.Event(), asyncio.Event()
        self._beaten: dict[str, float] = {}
        self._pins: Any = None
        self._resubscribe()

    async def opened(self) -> None:
        self.run(self._send_hints())
        self.run(self._send_glances())

    def _resubscribe(self) -> None:
        """Listen to what is wanted. The broad feed is for console clients: pages fetch what they show."""
        wanted = self._watched | {f"instance:{one}" for one in self._subscribed}
        if not self._watched:
            wanted |= {"fleet", "alerts"}
        self.subscription.add(*wanted)
        self.subscription.remove(*(self.subscription.topics - wanted))

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
            await self._subscribe(request)
        elif request.channel in AGENTS_ONLY:
            await self._refuse("FORBIDDEN", "Only an agent's connection may send this", request)
        elif request.channel in FOR_DEVELOPERS and not self.principal.may_somewhere(DEVELOPER):
            await self._refuse("FORBIDDEN", "This action requires the DEVELOPER role or higher", request)
        else:
            await self._refuse("UNKNOWN_MESSAGE_TYPE", f"{request.type[:64]} is not served here", request)

    async def _refuse(self, code: str, text: str, request: Request | None = None) -> None:
        channel = (request and request.channel) or "events"
        await self._reply(channel, "error", {"code": code, "message": text}, request)

    async def _reply(self, channel: str, type: str, data: dict[str, Any], request: Request | None) -> None:
        answer: dict[str, Any] = {"channel": channel, "type": type, "data": data}
        if request and request.correlationId is not None:
            answer["correlationId"] = request.correlationId
        await self.tell(answer)

    async def _subscribe(self, request: Request) -> None:
        instance_id = request.subject
        if not instance_id:
            await self._refuse("NO_INSTANCE_ID", "Say which instance", request)
            return
        if request.type == "unsubscribe":
            self._subscribed.discard(instance_id)
        elif len(self._subscribed) >= MAX_TOPICS:
            await self._refuse("INVALID_PAYLOAD", f"At most {MAX_TOPICS} instances at once", request)
            return
        elif await self.may_see(instance_id):
            self._subscribed.add(instance_id)
        else:
            await self._refuse("FORBIDDEN", f"Instance '{instance_id[:128]}' is not visible to you", request)
            return
        self._resubscribe()
        if request.instanceId:
            await self._reply(request.channel or "system", "ack", {"ok": True}, request)

    async def _watch(self, request: Request) -> None:
        """Send hints of these topics from now on, and of what happened since `after`."""
        wanted = set()
        for topic in request.watched:
            kind, _, name = topic.partition(":")
            if kind != "instance" or await self.may_see(name):
                wanted.add(topic)
        self._watched = wanted
        self._resubscribe()
        for topic in wanted & set(request.after):
            missed, whole = live.hub.replay(topic, int(request.after[topic]))
            if not whole:
                await self.tell({"type": "resync", "topic": topic})
            for message in missed if whole else ():
                self._hint(message)

    # --- to the browser ---------------------------------------------------------------------------------------

    async def forward(self, message: live.Message) -> None:
        topic, event = message.topic, message.event
        if topic in self._watched:
            self._hint(message)
        if topic.removeprefix("instance:") in self._subscribed:
            for told in messages.for_subscriber(event) if messages.visible(event, self.principal) else ():
                await self.tell(told)
        elif topic == "fleet" and not self._watched:
            await self._forward_fleet(event)
        elif topic == "alerts" and not self._watched:
            await self._forward_alert(event)

    async def _forward_fleet(self, event: dict[str, Any]) -> None:
        if event["kind"] == "heartbeats":
            for beat in event["beats"]:
                if messages.visible(beat, self.principal) and self._is_time(beat["instanceId"]):
                    await self.tell(messages.heartbeat(beat))
        elif event["kind"] == "status" and messages.visible(event, self.principal):
            await self.tell(messages.instance_update(event))
            self._changed.set()

    async def _forward_alert(self, event: dict[str, Any]) -> None:
        if "payload" in event and messages.visible(event, self.principal):
            await self.tell({"type": "alert", "payload": event["payload"]})

    def _is_time(self, instance_id: str) -> bool:
        """Whether this instance's last heartbeat went to the browser long enough ago."""
        now = time.monotonic()
        if now - self._beaten.get(instance_id, -HEARTBEAT_PAUSE_S) < HEARTBEAT_PAUSE_S:
            return False
        if len(self._beaten) > 20_000:
            self._beaten = {one: at for one, at in self._beaten.items() if now - at < HEARTBEAT_PAUSE_S}
        self._beaten[instance_id] = now
        return True

    def _hint(self, message: live.Message) -> None:
        """Keep the newest hint of each topic until its turn comes."""
        kind = message.event.get("kind") if isinstance(message.event, dict) else None
        self._hints[message.topic] = {
            "type": "ui", "topic": message.topic, "seq": message.number, "at": message.number, "kind": kind,
        }  # fmt: skip
        self._hinted.set()

    async def _send_hints(self) -> None:
        """At most ten a second."""
        while True:
            await self._hinted.wait()
            topic = next(iter(self._hints))
            await self.tell(self._hints.pop(topic))
            if not self._hints:
                self._hinted.clear()
            await asyncio.sleep(HINT_PAUSE_S)

    async def _send_glances(self) -> None:
        """The fleet's numbers and places after changes, at most once in 2 s."""
        while True:
            await self._changed.wait()
            await asyncio.sleep(GLANCE_PAUSE_S)
            self._changed.clear()
            stats, pins = await database_sync_to_async(glance)(principal=self.principal)
            await self.tell({"type": "fleet_stats", "payload": stats})
            if pins != self._pins:
                self._pins = pins
                await self.tell({"type": "geo_update", "payload": pins})


class MetricsStreamConsumer(LiveConsumer):
    """Samples of chosen instances as flat messages (contract: fleet console §32.3)."""

    async def prepare(self) -> None:
        query = parse_qs(self.scope.get("query_string", b"").decode("latin-1"))
        self._refusals = await self._subscribe(query.get("instanceId", []))

    async def opened(self) -> None:
        await self._tell_all(self._refusals)

    async def heard(self, raw: bytes) -> None:
        try:
            selection = read(raw, Selection)
        except Unreadable as error:
            await self._tell_all([_refusal("PARSE_ERROR", str(error))])
            return
        self.subscription.remove(*(f"instance:{one}" for one in selection.unsubscribe))
        await self._tell_all(await self._subscribe(selection.subscribe))

    async def _subscribe(self, instance_ids: list[str]) -> list[dict[str, Any]]:
        """Listen to the visible ones; what to tell about the others."""
        refusals = []
        for instance_id in instance_ids[:MAX_TOPICS]:
            if len(self.subscription.topics) >= MAX_TOPICS:
                refusals.append(_refusal("INVALID_PAYLOAD", f"At most {MAX_TOPICS} instances at once"))
                break
            if await self.may_see(instance_id):
                self.subscription.add(f"instance:{instance_id}")
            else:
                refusals.append(_refusal("FORBIDDEN", f"Instance '{instance_id[:128]}' is not visible to you"))
        return refusals

    async def _tell_all(self, told: list[dict[str, Any]]) -> None:
        for message in told:
            await self.tell(message)

    async def forward(self, message: live.Message) -> None:
        event = message.event
        if event["kind"] == "heartbeat" and event["measured"] and messages.visible(event, self.principal):
            await self.tell(messages.snapshot(event))


def _refusal(code: str, text: str) -> dict[str, Any]:
    return {"channel": "metrics", "type": "error", "data": {"code": code, "message": text}}
