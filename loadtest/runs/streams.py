"""`/metrics/live/:runId` and `/stats/:runId` (contract: load testing §11, §12)."""

import json
from datetime import datetime, timedelta
from typing import Any

from django.http import HttpRequest, HttpResponseBase, JsonResponse
from django.utils import timezone

from config.api.errors import NotFound
from config.api.permissions import VIEWER
from config.streams import Chunks, StreamView, event, query
from loadtest.runs import queries, series, stats
from loadtest.runs.models import Kind, Run
from loadtest.runs.tail import follow
from loadtest.workspace import configuration

GONE = "Run not found or expired"
HINT = "Use /run/<runId>/report for the stored report"


class Live(StreamView):
    """The ticks of a load run, from any of them on, until it ends."""

    roles = {"get": VIEWER}
    rate_class = "loadtest"

    async def open(self, request: HttpRequest, **kwargs: str) -> Chunks:
        run_id = kwargs["id"]
        await query(_check_live, run_id, timezone.now())
        return _live(run_id, first_tick(request))


def first_tick(request: HttpRequest) -> int:
    """The tick after the last that the reader has seen; 0 when that cannot be read."""
    text = request.headers.get("Last-Event-ID") or request.GET.get("lastEventId") or ""
    return min(int(text), 1 << 40) + 1 if text.isascii() and text.isdigit() else 0


def _check_live(run_id: str, now: datetime) -> None:
    """Raise NotFound unless the run's series can be followed still. The time it is kept is looked up anew each time."""
    run = Run.objects.visible().filter(pk=run_id, kind=Kind.LOAD).only("ended_at").first()
    kept = timedelta(milliseconds=configuration.value("liveRetentionMs")) if run and run.ended_at else None
    if run is None or (run.ended_at and kept is not None and now > run.ended_at + kept):
        raise NotFound(GONE, hint=HINT)


async def _live(run_id: str, start: int) -> Chunks:
    async for batch in follow(run_id, start):
        yield "".join(event(tick, name="metrics", number=batch.start + k) for k, tick in enumerate(batch.ticks))
    yield event(json.dumps({"event": "complete", "runId": run_id}, separators=(",", ":")), name="complete")


class Stats(StreamView):
    """A run's figures twice a second, or with `format=json` its stored series in pages."""

    roles = {"get": VIEWER}
    rate_class = "loadtest"

    async def open(self, request: HttpRequest, **kwargs: str) -> HttpResponseBase | Chunks:
        run = await query(queries.get, kwargs["id"])
        if request.GET.get("format") == "json":
            return JsonResponse(await query(_page, run.pk, request))
        return stats.stream(run.pk)


def _page(run_id: str, request: HttpRequest) -> dict[str, Any]:
    return series.page(run_id, limit=request.GET.get("limit"), offset=request.GET.get("offset"))
