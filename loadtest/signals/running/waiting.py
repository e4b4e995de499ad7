"""Waiting for the end of a scenario on the event loop: an event wakes, the row decides."""

import asyncio
import time

from config import live
from config.streams import query
from loadtest.signals.running import services, state

LOOK_S = 0.2


async def until_settled(scenario_id: str, *, most_s: float) -> bool:
    """Whether the scenario is over within that time."""
    until = time.monotonic() + most_s
    async with live.subscribe(state.topic(scenario_id)) as subscription:
        while not await query(services.is_settled, scenario_id):
            if (left := until - time.monotonic()) <= 0:
                return False
            try:
                async with asyncio.timeout(min(LOOK_S, left)):
                    await subscription.get()
            except TimeoutError:
                continue
    return True
