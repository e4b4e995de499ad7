"""Ends what is open for a caller who may no longer have it: sockets and event streams, in every process."""

import asyncio
import logging
from collections import defaultdict
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import asynccontextmanager, contextmanager
from datetime import timedelta
from typing import Any
from weakref import WeakKeyDictionary

from channels.db import database_sync_to_async
from django.utils import timezone

from config.api.authentication import Principal
from security.tickets.queries import ended_keys, rights_of, still_standing

log = logging.getLogger(__name__)
EVERY_S = 2.5
EVERYTHING_EVERY_S = 60.0
CLOCKS = timedelta(seconds=30)  # by which those of two servers may differ

End = Callable[[], None]


class Watched:
    """What is open on an event loop, and what its rights rested on at the last look.

    Thousands of agents, each with a key, are not looked up again and again: after a first look only those are whose key
    has ended since or whose user has changed. Once a minute all are.
    """

    def __init__(self) -> None:
        self.open: dict[End, Principal] = {}
        self._new: set[End] = set()
        self._by_key: dict[str, set[End]] = defaultdict(set)
        self._by_user: dict[str, set[End]] = defaultdict(set)
        self._by_session: set[End] = set()
        self._people: dict[str, tuple[Any, ...]] = {}
        self._looked_at = self._all_at = timezone.now()

    def add(self, end: End, principal: Principal) -> None:
        self.open[end] = principal
        self._new.add(end)
        self._by_user[principal.user.pk].add(end)
        if principal.key_id:
            self._by_key[principal.key_id].add(end)
        if principal.session_id:
            self._by_session.add(end)

    def remove(self, end: End) -> None:
        principal = self.open.pop(end)
        self._new.discard(end)
        self._by_session.discard(end)
        for index, name in ((self._by_user, principal.user.pk), (self._by_key, principal.key_id)):
            if name in index:
                index[name].discard(end)
                if not index[name]:
                    del index[name]

    async def look(self) -> None:
        """End what may not stay open."""
        now = timezone.now()
        gone = await database_sync_to_async(ended_keys)(self._looked_at - CLOCKS, now)
        people = await database_sync_to_async(rights_of)(list(self._by_user))
        everything = (now - self._all_at).total_seconds() > EVERYTHING_EVERY_S
        doubtful = list(self.open) if everything else self._doubtful(gone, people)
        principals = [self.open[end] for end in doubtful]
        standing = await database_sync_to_async(still_standing)(principals)
        for end, stands in zip(doubtful, standing, strict=True):
            if not stands and end in self.open:
                end()
        self._new.difference_update(doubtful)
        self._people, self._looked_at = people, now
        if everything:
            self._all_at = now

    def _doubtful(self, gone: set[str], people: dict[str, tuple[Any, ...]]) -> list[End]:
        changed = [self._by_user[one] for one in list(self._by_user) if people.get(one) != self._people.get(one)]
        ended = [self._by_key[one] for one in gone if one in self._by_key]
        return list(set().union(self._new, self._by_session, *changed, *ended))


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
def on_end(principal: Principal, end: End) -> Iterator[None]:
    """Within the block `end`, a function of this block's own, is called instead; perhaps more than once."""
    loop = asyncio.get_running_loop()
    watched, task = _loops.get(loop) or (Watched(), None)
    watched.add(end, principal)
    if task is None or task.done():
        _loops[loop] = watched, loop.create_task(_look(watched))
    try:
        yield
    finally:
        watched.remove(end)


async def _look(watched: Watched) -> None:
    """Look again and again until nothing is open any more."""
    while watched.open:
        await asyncio.sleep(EVERY_S)
        try:
            await watched.look()
        except Exception:  # noqa: BLE001 - whatever the database raises: look again, rather than cut everybody off
            log.warning("open streams could not be checked", exc_info=True)
