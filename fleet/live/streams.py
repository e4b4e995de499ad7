"""The browsers' socket `/ws/metrics/stream` (contract: fleet console §32.3)."""

from typing import Any
from urllib.parse import parse_qs

from config import live
from fleet.live import texts
from fleet.live.messages import visible
from fleet.live.requests import MAX_TOPICS, Selection, Unreadable, number_in, read
from fleet.live.sockets import LiveConsumer


class MetricsStreamConsumer(LiveConsumer):
    """Samples of chosen instances as flat messages."""

    async def prepare(self) -> None:
        query = parse_qs(self.scope.get("query_string", b"").decode("latin-1"))
        self._refusals = await self._subscribe(query.get("instanceId", []))

    async def opened(self) -> None:
        await self._tell_all(self._refusals)
        after = number_in(self.scope.get("query_string", b""))
        if after is not None:
            for topic in self.subscription.resume(set(self.subscription.topics), after):
                await self.tell({"type": "resync", "topic": topic})

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
        if visible(message.event, self.principal):
            await self.send_all(message.once(texts.snapshot))


def _refusal(code: str, text: str) -> dict[str, Any]:
    return {"channel": "metrics", "type": "error", "data": {"code": code, "message": text}}
