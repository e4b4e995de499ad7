"""What the server may ask a machine to do with itself: stop or start a service, make a backup."""

from __future__ import annotations

from typing import Any

from pharos_agent import services
from pharos_agent.parts import Parts
from pharos_agent.threads import in_thread

Body = dict[str, Any]


async def control_service(parts: Parts, body: Body) -> None:
    """Answer when the service has stopped or started; other frames are handled meanwhile."""

    async def control() -> None:
        result = await in_thread(services.control, body.get("unit"), body.get("action"))
        await parts.send("service:result", {**result, **_repeated(body)})

    parts.spawn(control())


async def start_backup(parts: Parts, body: Body) -> None:
    await parts.send("backup:state", {**parts.backups.start(body), **_repeated(body)})


async def look_at_backup(parts: Parts, body: Body) -> None:
    await parts.send("backup:state", {**parts.backups.look(body), **_repeated(body)})


def _repeated(body: Body) -> Body:
    """By which the server knows its question again."""
    return {"request_id": str(body.get("request_id"))[:64]}
