"""Following a run: its ticks from rows, then from live events, until it is over."""

import asyncio
from collections.abc import AsyncGenerator
from dataclasses import dataclass

from config import live
from config.streams import query
from loadtest.runs.models import FINAL, Run, RunTick
from loadtest.runs.recorder import LIVE_TICKS
from loadtest.runs.state import topic

LOOK_S = 1.0
BATCH = 500


@dataclass(frozen=True)
class Batch:
    """Ticks `start`, `start` + 1, … as JSON texts. `over` is set on the last batch, when the run has ended."""

    start: int
    ticks: list[str]
    over: bool = False


async def follow(run_id: str, start: int) -> AsyncGenerator[Batch, None]:
    """All ticks from number `start` without a gap. Batches without ticks come each second of silence.

    Rows are the truth: events only save looking at them.
    """
    async with live.subscribe(topic(run_id)) as subscription:
        while True:
            batch = await query(_read, run_id, start)
            start = batch.start + len(batch.ticks)
            yield batch
            if batch.over:
                return
            if len(batch.ticks) == BATCH:
                continue
            async for heard in _listen(subscription, start):
                start += len(heard.ticks)
                yield heard


async def _listen(subscription: live.Subscription, start: int) -> AsyncGenerator[Batch, None]:
    """What events tell, as long as they follow on each other; ends when the rows have to be looked at."""
    while True:
        try:
            async with asyncio.timeout(LOOK_S):
                message = await subscription.get()
        except TimeoutError:
            return
        event = message.event
        if event.get("kind") != "ticks":
            return
        known = start - event["from"]
        if known < 0:
            return
        fresh = event["ticks"][known:]
        if fresh:
            yield Batch(start, fresh)
            start += len(fresh)


def _read(run_id: str, start: int) -> Batch:
    """What the rows hold. The state is read first: what a run writes at its end is then in the ticks too."""
    status = Run.objects.visible().filter(pk=run_id).values_list("status", flat=True).first()
    ticks = RunTick.objects.filter(run_id=run_id)
    newest = ticks.order_by("-n").values_list("n", flat=True).first()
    start = max(start, (newest or 0) - LIVE_TICKS + 1)
    rows = list(ticks.filter(n__gte=start).order_by("n").values_list("data", flat=True)[:BATCH])
    return Batch(start, rows, over=(status is None or status in FINAL) and len(rows) < BATCH)
