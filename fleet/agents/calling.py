"""Speaking to an instance's agent, whichever process holds its connection (contract: fleet console §31.5).

The functions without an `a` in front are for plain code in threads, the others for the event loop.
"""

import asyncio
import uuid
from typing import Any

from asgiref.sync import async_to_sync
from django.conf import settings

from config import live
from config.api.errors import TooLarge, Unavailable
from fleet.agents import answers, frames

MAX_FRAME_BYTES = 60 * 1024  # released agents drop the connection at 64 KiB
RECEIPT_WITHIN_S = 2.0
GONE = {"kind": "gone"}


def topic(instance_id: str) -> str:
    """Where the process that holds the agent's connection listens."""
    return f"agent:{instance_id}"


def send(instance_id: str, type: str, payload: dict[str, Any], *, session_id: str | None = None) -> None:
    """Put one frame on the agent's connection, if there is one. Raises TooLarge above 60 KiB."""
    live.publish(topic(instance_id), frame(type, payload, session_id))


def hang_up(instance_id: str) -> None:
    """End the agent's connection: its instance is no more."""
    live.publish(topic(instance_id), GONE)


async def adeliver(instance_id: str, type: str, payload: dict[str, Any], *, session_id: str | None = None) -> bool:
    """The same, and whether it was put on a connection. Raises TooLarge."""
    return await _put(instance_id, frame(type, payload, session_id))


async def aconnected(instance_id: str) -> bool:
    """Whether some process holds a connection of the agent now; asks, and so is never out of date."""
    return await _put(instance_id, {"kind": "ping"})


async def aask(
    instance_id: str, type: str, payload: dict[str, Any], *, answer_type: str, timeout_s: float
) -> dict[str, Any]:
    """Send a frame with a fresh `request_id`; the body of the agent's frame of `answer_type` that repeats it.

    The slice that asks enters `answers.on(answer_type, answers.relayed(answer_type))`. Raises Unavailable when the
    agent is not connected or does not answer in time, TooLarge.
    """
    request_id = uuid.uuid4().hex
    async with live.subscribe(answers.topic(request_id), size=4) as answered:
        if not await adeliver(instance_id, type, {**payload, "request_id": request_id}):
            raise Unavailable(not_connected(instance_id))
        try:
            async with asyncio.timeout(timeout_s):
                while True:
                    event = (await answered.get()).event
                    if (event["kind"], event["instanceId"]) == (answer_type, instance_id):
                        return event["body"]
        except TimeoutError:
            raise Unavailable(f"The agent did not answer within {timeout_s:g} s") from None


deliver, connected, ask = async_to_sync(adeliver), async_to_sync(aconnected), async_to_sync(aask)


def not_connected(instance_id: str) -> str:
    """The sentence of the contract (§12)."""
    return f"Agent for instance '{instance_id}' is not connected"


def frame(type: str, payload: dict[str, Any], session_id: str | None = None) -> dict[str, str]:
    """The event that puts the frame on the agent's connection. Raises TooLarge above 60 KiB."""
    text = frames.to_agent(type, payload, session_id)
    if (size := len(text.encode())) > MAX_FRAME_BYTES:
        raise TooLarge(f"The message to the agent has {size} bytes; at most {MAX_FRAME_BYTES} are possible")
    return {"kind": "frame", "text": text}


async def _put(instance_id: str, event: dict[str, str]) -> bool:
    if not settings.REDIS_URL and not live.hub.listens(topic(instance_id)):
        return False  # there is no other process that could hold it
    receipt = uuid.uuid4().hex
    async with live.subscribe(answers.topic(receipt), size=1) as receipts:
        await asyncio.to_thread(live.publish, topic(instance_id), {**event, "receipt": receipt})
        try:
            async with asyncio.timeout(RECEIPT_WITHIN_S):
                await receipts.get()
        except TimeoutError:
            return False
    return True
