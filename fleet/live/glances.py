"""The fleet's numbers and places for many readers at once."""

import asyncio
from typing import Any, NamedTuple

from channels.db import database_sync_to_async

from config.api.authentication import Principal
from config.sockets import framed
from fleet.live.texts import Sent, plain
from fleet.overview.queries import glance, scope


class Glance(NamedTuple):
    """What a reader sees now, as what is sent."""

    active_sessions: int
    stats: Sent
    pins: Sent


class Glances:
    """Readers who see the same and ask at the same moment are answered by one look at the database."""

    def __init__(self) -> None:
        self._looks: dict[Any, asyncio.Task[Glance]] = {}

    async def of(self, principal: Principal) -> Glance:
        key = (asyncio.get_running_loop(), scope(principal))
        look = self._looks.get(key)
        if look is None:
            look = self._looks[key] = asyncio.create_task(self._look(principal))
            look.add_done_callback(lambda _: self._looks.pop(key, None))
        return await asyncio.shield(look)

    async def _look(self, principal: Principal) -> Glance:
        stats, pins = await database_sync_to_async(glance)(principal=principal)
        return Glance(
            stats["active_sessions"],
            framed(plain({"type": "fleet_stats", "payload": stats})),
            framed(plain({"type": "geo_update", "payload": pins})),
        )


glances = Glances()
