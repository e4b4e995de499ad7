"""Ends what is open for a caller who may no longer have it: sockets and event streams, in every process."""

import asyncio
import logging
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import asynccontextmanager, contextmanager
from weakref import WeakKeyDictionary

from channels.db import database_sync_to_async

from config.api.authentication import Principal
from security.tickets.queries import still_standing

log = logging.getLogger(__name__)
EVERY_S = 2.5

Watched = dict[Callable[[], None], Principal]
_loops: WeakKeyDictionary[asyncio.AbstractEventLoop, tuple[Watched, asyncio.Task]] = WeakKeyDictionary()


@asynccontextmanager
async def watch(principal: Principal) -> AsyncIterator[asyncio.Event]:
    """Within the block the event is set at most 5 s after the caller's key, session, user or rights have changed.

    `async with watch(principal) as ended: ...` and leave when `ended.is_set()` (or wait for it beside the work).
    One look at the database serves everything that is open on this event loop.
    """
    ended = asyncio.Event()
    with on_end(principal, ended.set):
        yield ended


@contextmanager
def on_end(principal: Principal, end: Callable[[], None]) -> Iterator[None]:
    """Within the block `end`, a function of this block's own, is called instead; perhaps more than once."""
    loop = asyncio.get_running_loop()
    watched, task = _loops.get(loop, ({}, None))
    watched[end] = principal
    if task is None or task.done():
        _loops[loop] = watched, loop.create_task(_look(watched))
    try:
        yield
    finally:
        watched.pop(end, None)


async def _look(watched: Watched) -> None:
    """Look again and again until nothing is open any more."""
    while watched:
        await asyncio.sleep(EVERY_S)
        open_now = list(watched.items())
        try:
            standing = await database_sync_to_async(still_standing)([who for _, who in open_now])
        except Exception:  # noqa: BLE001 - whatever the database raises: look again, rather than cut everybody off
            log.warning("open streams could not be checked", exc_info=True)
            continue
        for (end, _), stands in zip(open_now, standing, strict=True):
            if not stands and end in watched:
                end()
